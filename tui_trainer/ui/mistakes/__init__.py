"""The page `break it`: a wrong order of calls beside the right one."""
