"""`feedbackloop simulate`: a loop's rollout policy over a recorded log, with the gateway's and the operator's own code.

`log` the lines of the log · `crowd` how sessions behave, and the effect that is assumed · `gateway` assignment and
counting · `pods` what the cluster would do · `drive` the clock, which jumps · `story` and `picture` what came of it.
"""
