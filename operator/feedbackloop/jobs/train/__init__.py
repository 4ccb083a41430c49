"""The train job: a data set and a base model in, a model artefact by digest out.

`stage` is the sequence. A launcher (`process`, `ray_launcher`) carries a `Plan` to `sft`, which trains;
what happens there is heard through files (`live`). Checkpoints go to object storage as they are made,
so that an attempt killed at any point is continued by the next one, to the same bits on the same CPU.
"""
