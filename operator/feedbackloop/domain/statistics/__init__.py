"""The tests that decide: exact or always-valid, on integer counts, with nothing but `math`.

`binomial` tails and limits · `tango` score statistic and interval for paired proportions · `noninferiority` and
`superiority` exact tests on pairs · `clustered` counts of items that share an intent · `bootstrap` paired means of
numbers · `spending` alpha over the looks at one set · `sample_size` what a verdict needs · `normal`, `beta`
distributions · `numerals` real numbers as the decimal strings of the API.
"""
