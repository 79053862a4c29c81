"""What entries say: one model per type and version. `registry` finds them; what they do not have, they refuse.

There is no member anywhere in them for what a weapon would need, an object to be attacked or what would be done to
it, and there will be none.
"""
