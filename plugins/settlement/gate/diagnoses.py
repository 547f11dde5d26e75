"""Which diagnoses are western, decided by the form of the code.

Two dictionaries of ``diag_type`` are in use: 1 western, 2 disease and 3 syndrome of Chinese medicine; or 1 western
main, 2 western other, 3 and 4 Chinese medicine. A type alone therefore says nothing, and the code does: ICD-10 on one
side, GB/T 15657 on the other (letters of 1995, up to six levels of 2021). Codes of two levels and fewer have the same
form in both; there the type decides, as the national dictionary has it.
"""

CHINESE_LETTERS = "^[A-Z]{2,3}[0-9A-Z.]*$"
CHINESE_LEVELS = "^[AB][0-9]{2}(\\.[0-9]{2}){2,5}\\.?$"
EITHER = "^[AB][0-9]{2}(\\.[0-9]{2})?\\.?$"


def is_western(diag_type: str, diag_code: str) -> str:
    """Boolean over two expressions, in the subset of SQL that DuckDB and PostgreSQL share; never NULL.

    The warehouse keeps it with every diagnosis, in a column that migration 19 defines by the same words.
    """
    return (
        f"case when {diag_code} ~ '{CHINESE_LETTERS}' or {diag_code} ~ '{CHINESE_LEVELS}' then false "
        f"when {diag_code} is null or {diag_code} ~ '{EITHER}' then coalesce({diag_type}, '1') = '1' "
        "else true end"
    )
