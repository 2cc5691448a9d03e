"""Generated clips of a kitchen whose roles are known: what is done, with what, to what, and where.

In the order the data flows: ``scenes`` decides what happens, ``grammar`` says it, ``shapes`` and
``drawing`` show it, ``dataset`` writes videos, roles, lists and references. ``recogniser`` sees the
roles in the videos, ``material`` is what it leaves to the ``systems`` of Table 9, which describe.
"""
