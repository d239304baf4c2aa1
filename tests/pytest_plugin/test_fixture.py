"""The fixture `gate` in a test of one's own."""

from __future__ import annotations

import pytest

from tests.pytest_plugin.conftest import Gates

pytest_plugins = ["pytester"]


@pytest.mark.parametrize(
    ("candidate", "assertion", "outcome"),
    [
        ("same", "assert_no_regression(margin=0.1)", {"passed": 1}),
        ("worse", "assert_no_regression(margin=0.1)", {"failed": 1}),
        ("same", "assert_non_inferior(margin=0.1)", {"passed": 1}),
        ("worse", "assert_non_inferior(margin=0.1)", {"failed": 1}),
        (
            "same",
            "assert_non_inferior(margin=0.1, transform='typo', slice={'language': 'zh'})",
            {"passed": 1},
        ),
        # 160 items cannot rule out a loss of half a point.
        ("same", "assert_no_regression(margin=0.005)", {"failed": 1}),
        ("same", "assert_non_inferior(margin=0.005)", {"failed": 1}),
    ],
)
def test_an_assertion_is_a_rule(
    gates: Gates, pytester: pytest.Pytester, candidate: str, assertion: str, outcome: dict[str, int]
) -> None:
    pytester.makepyfile(
        f"def test_it(gate):\n    gate(candidate={candidate!r}, baseline='production', suite='letters').{assertion}\n"
    )
    gates("test_an_assertion_is_a_rule.py").assert_outcomes(**outcome)


def test_a_failure_points_at_the_users_line_and_shows_the_flips(
    gates: Gates, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        "def test_it(gate):\n"
        "    gate(candidate='worse', baseline='production', suite='letters').assert_no_regression()\n"
    )
    done = gates("-k", "test_it")
    done.assert_outcomes(failed=1, deselected=3)
    done.stdout.fnmatch_lines(
        [
            ">*gate(candidate='worse', baseline='production', suite='letters').assert_no_regression()",
            "E*✗ fail letters::accuracy::all: worse by*",
            "E*Worst 5 of*lost*",
            "E*Open them: harness dashboard *--suite letters",
        ]
    )
    assert "harness/pytest_plugin" not in done.stdout.str()


def test_undecided_only_warns_where_that_is_asked_for_but_never_certifies(
    gates: Gates, pytester: pytest.Pytester
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture
        def undecided(gate):
            return gate(candidate='same', baseline='production', suite='letters')

        def test_no_regression(undecided):
            undecided.assert_no_regression(margin=0.005)

        def test_non_inferior(undecided):
            undecided.assert_non_inferior(margin=0.005)
        """
    )
    done = gates("--harness-inconclusive=warn", "-k", "test_no", "-v")
    done.assert_outcomes(passed=1, failed=1, deselected=3, warnings=1)
    done.stdout.fnmatch_lines(["*::test_no_regression PASSED*", "*::test_non_inferior INCONCLUSIVE*"])


def test_the_marker_gives_defaults_and_the_flag_wins(gates: Gates, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.harness_gate(candidate='worse', baseline='production', suite='letters')
        def test_it(gate):
            gate().assert_no_regression(margin=0.1)
        """
    )
    gates("-k", "test_it").assert_outcomes(failed=1, deselected=3)
    gates("-k", "test_it", "--harness-candidate=same").assert_outcomes(passed=1, deselected=3)


def test_a_policy_may_be_given_with_its_own_rules(gates: Gates, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_it(gate):
            gate(candidate='worse', policy='gates/release.gate.yaml').assert_no_regression()

        def test_both(gate):
            gate(candidate='worse', policy='gates/release.gate.yaml').assert_no_regression(margin=0.1)
        """
    )
    done = gates("-k", "test_it or test_both")
    done.assert_outcomes(failed=2, deselected=3)
    done.stdout.fnmatch_lines(["*leave out margin, or the policy*", "*3 of 3 blocking rules failed*"])


def test_a_verdict_is_there_for_assertions_of_ones_own(gates: Gates, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_it(gate):
            verdict = gate(candidate='same', baseline='production', suite='short').verdict()
            assert verdict['status'] == 'pass'
            assert {each['effect']['suite'] for each in verdict['judgements']} == {'short'}
        """
    )
    gates("-k", "test_it").assert_outcomes(passed=1, deselected=3)
