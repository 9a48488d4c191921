"""Files of another machine, over the system's `ssh`: a connection that is held, and copies of files that grow there.

Nothing is needed on the far side but a POSIX shell, and nothing is written there. What comes from it is data.
"""
