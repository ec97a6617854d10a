"""Every open is answered with a picture, whatever fails around it. `make chaos` asks for 100,000."""

from tests.chaos import run


def test_every_answer_is_a_picture_while_everything_fails() -> None:
    answers, wrong, _ = run(1_500)
    assert answers == 1_500
    assert wrong == []
