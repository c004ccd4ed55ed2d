"""Who may do what: roles, the permission matrix, actions, row scopes, and what proves a principal.

Everything here is data or pure functions over data. The same matrix answers the handler (`grants`, `scopes`)
and writes PostgreSQL's row-level security (`rls`), so the two cannot drift apart.
"""
