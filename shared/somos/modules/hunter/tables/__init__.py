"""The tables of schema `hunter`. They belong to the house: the matrix alone says who reads and writes."""
