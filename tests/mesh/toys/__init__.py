"""Small functions that show one trait of the runtime each; they share the table `mesh.toy_notes`."""
