"""Online evidence: what the gateways' integers show about a candidate, at any time, as often as one looks.

`counting` closed units that no look has counted yet · `looks` when a look closes · `eprocess` the
always-valid test of event rates · `ratio` its confidence sequence · `means` the same for means · `outcome` verdicts ·
`pairs` shadow pairs · `sample_ratio` and `rated_share` whether the counts can be trusted.
"""
