"""Look-up codes: what the check character catches, what people may type, and that Python and the database agree."""

import random
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from postgis import codes
from postgis.store import lookup_codes

CODES = st.integers(min_value=0, max_value=2**31).map(lambda seed: codes.new_code(random.Random(seed)))
NEARLY_CODES = st.text(alphabet=codes.ALPHABET + "0OILZ5 -k\n", min_size=6, max_size=10)


def test_alphabet_has_no_two_signs_that_are_taken_for_one_another() -> None:
    assert len(codes.ALPHABET) == len(set(codes.ALPHABET)) == 23
    for alike in ("0ODQ", "1IL", "2Z", "5S", "6G", "8B", "UV"):
        assert len(set(alike) & set(codes.ALPHABET)) <= 1


@given(CODES)
def test_every_wrong_single_character_is_caught(code: str) -> None:
    for place, right in enumerate(code):
        for wrong in codes.ALPHABET:
            if wrong != right:
                assert not codes.is_valid(code[:place] + wrong + code[place + 1 :])


@given(CODES)
def test_every_swap_of_two_different_characters_is_caught(code: str) -> None:
    for first in range(codes.LENGTH):
        for second in range(first + 1, codes.LENGTH):
            swapped = list(code)
            swapped[first], swapped[second] = swapped[second], swapped[first]
            assert codes.is_valid("".join(swapped)) == (code[first] == code[second])


def test_every_slip_of_one_sign_or_two_neighbours_is_caught_on_every_code_of_a_street() -> None:
    tried = 0
    for code in codes.codes_for(f"street/{number}" for number in range(2_000)):
        slips = {code[:at] + wrong + code[at + 1 :] for at in range(codes.LENGTH) for wrong in codes.ALPHABET}
        slips |= {code[:at] + code[at + 1] + code[at] + code[at + 2 :] for at in range(codes.LENGTH - 1)}
        slips -= {code}
        tried += len(slips)
        assert not any(map(codes.is_valid, slips))
    assert tried > 2_000 * 8 * 22


@given(CODES)
def test_a_code_is_read_however_it_is_typed(code: str) -> None:
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in code)
    for typed in (
        code.lower(),
        codes.display(code),
        f" {code[:4]} - {code[4:]} ",
        full_width,
        f"{code[:4]}\u2013{code[4:]}\u200b",
    ):
        assert codes.normalise(typed) == code


@given(st.text(max_size=80))
def test_nothing_but_a_valid_code_comes_out_of_what_is_typed(typed: str) -> None:
    code = codes.normalise(typed)
    assert code is None or codes.is_valid(code)


def test_of_a_hundred_thousand_random_and_mutated_codes_none_opens_another_place() -> None:
    """Slips of hand, eye and ear on codes of a whole ward, and guesses: what comes out is no code, or nobody's."""
    dice = random.Random(23)
    issued = codes.codes_for(f"ward/{number}" for number in range(10_000))
    known, signs = set(issued), string.ascii_uppercase + string.digits
    opened, still_codes = [], 0
    for number in range(100_000):
        code = dice.choice(issued)
        mutated = list(code)
        for _ in range(1 + number % 3):
            place = dice.randrange(len(mutated))
            way = dice.randrange(4)
            if way == 0:
                mutated[place] = dice.choice(signs)
            elif way == 1 and place:
                mutated[place - 1], mutated[place] = mutated[place], mutated[place - 1]
            elif way == 2:
                mutated.insert(place, dice.choice(signs))
            else:
                del mutated[place]
        typed = "".join(mutated) if number % 10 else "".join(dice.choices(codes.ALPHABET, k=codes.LENGTH))
        found = codes.normalise(typed)
        still_codes += found is not None and found != code
        if found in known and found != code:
            opened.append((code, typed))
    assert opened == []
    # The check character lets about one in 23 of those through that have eight signs of the alphabet and several slips.
    assert 0 < still_codes < 5_000


def test_a_sign_outside_the_alphabet_is_never_guessed() -> None:
    assert codes.normalise("K7M4-2XP2") == "K7M42XP2"
    assert codes.normalise("K7M4-ZXP2") is None
    assert codes.normalise("K7M4-2XP") is None
    assert codes.normalise("K7M42XP2" * 100) is None


def test_check_character_refuses_what_is_no_stem() -> None:
    for stem in ("", "K7M42X", "K7M42XP2", "K7M420P"):
        with pytest.raises(ValueError, match="look-up alphabet"):
            codes.check_character(stem)


def test_codes_for_texts_stay_the_same_for_ever_and_never_clash() -> None:
    # These two stand on printed samples: a change of the rule would send them elsewhere.
    assert codes.code_for("x") == "98TXT8TN"
    many = codes.codes_for((f"demo/{number}" for number in range(10_000)), taken=[codes.code_for("demo/17")])
    assert len(set(many)) == 10_000
    assert many[17] == codes.code_for("demo/17", attempt=1)
    assert all(codes.is_valid(code) for code in many)


# One connection for all examples: they only ask, they change nothing.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.lists(
        st.one_of(CODES, NEARLY_CODES, st.text(max_size=10).filter(lambda t: "\0" not in t)), min_size=20, max_size=60
    )
)
def test_python_and_the_database_agree(owner_connection: Connection, texts: list[str]) -> None:
    texts = [entry.encode("utf-8", "ignore").decode() for entry in texts]
    rows = owner_connection.execute(
        text(
            "SELECT published.is_lookup_code(entry) "
            "FROM unnest(CAST(:entries AS text[])) WITH ORDINALITY AS given(entry, position) ORDER BY position"
        ),
        {"entries": texts},
    )
    assert list(rows.scalars()) == [codes.is_valid(entry) for entry in texts]


def test_issued_codes_are_new_and_kept(owner_connection: Connection) -> None:
    first = lookup_codes.issue(owner_connection, 50, random.Random(1))
    # The same dice again: all fifty are taken, so others must come.
    second = lookup_codes.issue(owner_connection, 50, random.Random(1))
    assert len({*first, *second}) == 100
    known = owner_connection.execute(text("SELECT code FROM register.lookup_code")).scalars().all()
    assert {*first, *second} <= set(known)


def test_registering_codes_is_repeatable_and_refuses_what_is_no_code(owner_connection: Connection) -> None:
    wanted = codes.codes_for(f"register/{number}" for number in range(5))
    assert lookup_codes.register_codes(owner_connection, wanted) == 5
    assert lookup_codes.register_codes(owner_connection, wanted) == 0
    with pytest.raises(ValueError, match="K7M42XPA"):
        lookup_codes.register_codes(owner_connection, ["K7M42XPA"])


def test_new_codes_use_the_whole_alphabet() -> None:
    seen = "".join(codes.new_code() for _ in range(500))
    assert set(seen) == set(codes.ALPHABET)
    assert not set(seen) & set(string.ascii_lowercase)


@given(CODES, st.integers(0, 7), st.data())
def test_a_likely_slip_leads_back_to_the_code_and_to_few_others(code: str, place: int, data: st.DataObject) -> None:
    meant = code[place]
    typed = data.draw(st.sampled_from([sign for sign in codes._TAKEN_FOR if meant in codes._TAKEN_FOR[sign]]))
    candidates = codes.one_slip_away(code[:place] + typed + code[place + 1 :])
    assert code in candidates
    assert len(candidates) <= 15
    assert all(codes.is_valid(candidate) for candidate in candidates)


@given(CODES, st.integers(0, 6))
def test_a_swap_leads_back_to_the_code(code: str, place: int) -> None:
    swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (code in codes.one_slip_away(swapped)) is (swapped != code)


@pytest.mark.parametrize("typed", ["", "x", "K7M42XP2", "K7M4-2XP", "K7M42XP22", "00000000", "OOM42XP2", "A" * 1000])
def test_nothing_is_guessed_for_a_code_or_for_what_is_none_by_far(typed: str) -> None:
    assert codes.one_slip_away(typed) == []
