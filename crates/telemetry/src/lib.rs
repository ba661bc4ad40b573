//! Journal and columns to Parquet tables.
