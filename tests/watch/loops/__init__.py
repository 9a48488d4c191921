"""Small programs that train, wrong ones and right ones, to be watched: each begins with `BEGINNING`."""
