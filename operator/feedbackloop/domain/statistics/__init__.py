"""The tests that decide: exact or always-valid, on integer counts, with nothing but `math`.

`binomial` tails and limits · `tango` score statistic and interval for paired proportions ·
`noninferiority` and `superiority` exact tests on pairs · `sample_size` what a verdict needs ·
`numerals` real numbers as the decimal strings of the API.
"""
