"""Functions of the hunter: profiles, searches, leads, and the steps that find and judge them."""
