"""The tables of schema `crm`.

Who sees what. A deal belongs to its owner. A company or contact is reached by its own owner and by the owner
of a deal that is about it, for reading and writing. What hangs on a deal (history, activities, tags) follows
it. Pipelines, stages, lost reasons and tags are the house's. Saved views are private unless shared; private
notes are their author's alone, for every role. The database refuses the rest.
"""
