"""What other tools have recorded of a training, as events of ours: TensorBoard, CSV, JSON lines and the like.

A reader follows the files of one run and yields its numbers in columns, piece by piece; `telling.py` makes events of
them. Nothing here writes, and nothing waits.
"""
