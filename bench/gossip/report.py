def write(root, rows): pass
