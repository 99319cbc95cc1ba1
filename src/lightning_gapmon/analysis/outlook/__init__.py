"""Whether it is worth going on: the chance that the rest of a run still improves on its best."""
