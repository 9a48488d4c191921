"""Training: the only part of the program that knows torch.

Threads of a team that wait for each other sleep after some microseconds instead of spinning for milliseconds, which is
libgomp's default. On a quiet machine that costs nothing that could be measured; with one busy neighbour on two cores
a spinning team took 4 to 20 times as long for a step as a sleeping one. It changes no result. libgomp reads it as
torch is imported, so it is set before; whoever has set one of the two has chosen.
"""

import os

if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
