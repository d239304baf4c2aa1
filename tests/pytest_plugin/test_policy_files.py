"""A policy file under pytest: one test a rule, and a failure that says all there is to know."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from harness.gating import gate
from harness.store import open_store
from tests.pytest_plugin.conftest import Gates

pytest_plugins = ["pytester"]

ZH = "gate[letters::accuracy::zh]"
BY_TRANSFORM = "gate[letters::primary::by transform]"
ADVICE = "gate[sho*::primary::all]"


def test_each_rule_is_one_test_named_by_suite_metric_and_slice(gates: Gates) -> None:
    done = gates("--collect-only", "-q")
    listed = [line for line in done.outlines if "::" in line]
    assert listed == [f"gates/release.gate.yaml::{name}" for name in (ZH, BY_TRANSFORM, ADVICE)]


def test_an_equal_candidate_passes_in_one_line(gates: Gates) -> None:
    done = gates("--harness-candidate=same")
    done.assert_outcomes(passed=3)
    assert done.ret == 0
    done.stdout.fnmatch_lines(["gates/release.gate.yaml: PASS All 3 blocking rules passed."])
    assert not any("95 % interval" in line for line in done.outlines)


def test_a_failure_shows_effect_interval_n_mde_five_flips_and_how_to_open_them(
    gates: Gates, gate_store: Path
) -> None:
    done = gates("--harness-candidate=worse", "-k", "zh")
    done.assert_outcomes(failed=1, deselected=2)
    store = open_store(gate_store)
    before, after = (store.run(name).run_id for name in ("production", "worse"))
    # 80 Chinese items of 160, each asked twice (as it is, and with typos).
    done.stdout.re_match_lines(
        [
            r"✗ fail letters::accuracy::zh: worse by 0\.\d+, beyond the margin of 0\.1 \(p < 0\.0001\)\.",
            r"  accuracy 1\.000 -> 0\.\d{3}, difference -0\.\d{3}, 95 % interval \[-0\.\d+, -0\.\d+\], margin 0\.100",
            r"  n: 80 items, 160 variants scored, \d+ lost, 0 won",
            r"  MDE: 0\.\d+ / 0\.\d+ \(smallest loss found 4 times of 5, if 10 % / 20 % of the answers differ\)",
            r"  Worst 5 of \d+ lost \(\[-baseline-\] \{\+candidate\+\}\):",
            r"  1\. zh · (source|typo) · \w+ · [0-9a-f]{24}",
            r"     asked  .*答案：",
            r"     gold   1\. alpha",
            r"     said   \[-1\. alpha-\]\{\+2\. beta\+\}",
            r"  5\. zh · .*",
            rf"  Open them: harness dashboard --store .* --flips {before} {after} --suite letters",
        ]
    )
    assert "Traceback" not in done.stdout.str()


def test_selecting_one_rule_changes_no_verdict(
    gates: Gates, gate_store: Path, pytester: pytest.Pytester
) -> None:
    gates("--harness-candidate=worse", "-k", "zh", "--harness-report=one.json").assert_outcomes(
        failed=1, deselected=2
    )
    found = json.loads((pytester.path / "one.json").read_text())
    policy = pytester.path / "gates" / "release.gate.yaml"
    whole = gate(candidate="worse", policy=policy, store=gate_store)
    (told,) = found["gates"]
    assert [each["harm_p"] for each in told["verdict"]["judgements"]] == [
        each.harm_p for each in whole.judgements
    ]


def test_an_advisory_rule_warns_and_does_not_fail(gates: Gates) -> None:
    done = gates("--harness-candidate=worse", "-m", "harness_advisory")
    done.assert_outcomes(passed=1, deselected=2, warnings=1)
    done.stdout.fnmatch_lines(["*GateWarning: ✗ fail short::exact_match::all (advisory): worse by*"])


def test_too_few_items_are_inconclusive_and_fail_unless_the_policy_only_warns(
    gates: Gates, pytester: pytest.Pytester
) -> None:
    words = ("--harness-candidate=few", "--harness-baseline=tiny", "-v")
    policy = pytester.path / "gates" / "release.gate.yaml"
    policy.write_text("schema: 1\nrules: [{suite: letters}]\n")
    done = gates(*words)
    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        ["*gate?letters::primary::all? INCONCLUSIVE*", "*? inconclusive letters::accuracy::all*"]
    )
    gates(*words, "--harness-inconclusive=warn").assert_outcomes(passed=1, warnings=1)
    policy.write_text("schema: 1\ninconclusive: warn\nrules: [{suite: letters}]\n")
    gates(*words).assert_outcomes(passed=1, warnings=1)


def test_nothing_in_common_is_inconclusive_for_every_rule(gates: Gates) -> None:
    done = gates("--harness-candidate=few", "-m", "not harness_advisory")
    done.assert_outcomes(failed=2, deselected=1)
    done.stdout.fnmatch_lines(
        ["*Nothing to compare between base (*) and few (*): no shared variant may be compared*"]
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "No candidate to judge: pytest --harness-candidate=RUN"),
        (
            ("--harness-candidate=wrose",),
            "*No run 'wrose'*Did you mean 'worse'*Nor is it a checkpoint's folder.",
        ),
        (("--harness-candidate=same", "--harness-inconclusive=wran"), "*Did you mean 'warn'*"),
    ],
)
def test_what_keeps_a_gate_from_being_judged_is_an_error_in_one_line(
    gates: Gates, words: tuple[str, ...], expected: str
) -> None:
    done = gates(*words)
    done.assert_outcomes(errors=3)
    done.stdout.fnmatch_lines([f"{expected}*"])
    assert "Traceback" not in done.stdout.str()


def test_a_faulty_policy_is_told_with_its_line(gates: Gates, pytester: pytest.Pytester) -> None:
    (pytester.path / "gates" / "release.gate.yaml").write_text("schema: 1\nrules:\n  - sute: a\n")
    done = gates("--harness-candidate=same")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(
        ["*release.gate.yaml:3:5: rules?0?.sute: unknown key 'sute'. Did you mean 'suite'*"]
    )


def test_equal_rules_have_names_of_their_own_and_the_second_is_skipped(
    gates: Gates, pytester: pytest.Pytester
) -> None:
    text = "schema: 1\nbaseline: {run: production}\nrules:\n  - {suite: letters}\n  - {suite: letters}\n"
    (pytester.path / "gates" / "release.gate.yaml").write_text(text)
    done = gates("--harness-candidate=same", "-v")
    done.assert_outcomes(passed=1, skipped=1)
    done.stdout.fnmatch_lines(["*gate?letters::primary::all::rule 1? PASSED*", "*all::rule 2? SKIPPED*"])


def test_the_flag_wins_over_the_ini_file_and_that_over_the_policy(
    gates: Gates, pytester: pytest.Pytester
) -> None:
    pytester.makeini("[pytest]\nharness_candidate = worse\nharness_baseline = worse\n")
    gates().assert_outcomes(passed=3)
    gates("--harness-candidate=same", "--harness-baseline=production").assert_outcomes(passed=3)
    gates("--harness-baseline=production").assert_outcomes(failed=2, passed=1, warnings=1)


def test_junit_carries_the_numbers_unless_the_ini_file_says_no(
    gates: Gates, pytester: pytest.Pytester
) -> None:
    gates("--harness-candidate=worse", "-k", "zh", "--junitxml", "gate.xml")
    (case,) = ElementTree.parse(pytester.path / "gate.xml").iter("testcase")
    said = {each.get("name"): each.get("value") for each in case.iter("property")}
    assert (said["verdict"], said["n_items"], said["margin"]) == ("fail", "80", "0.1")
    assert {"effect", "interval_low", "interval_high", "harm_p", "mde_at_discordance_0.1"} <= set(said)
    assert float(said["effect"] or 0) < -0.1
    pytester.makeini("[pytest]\nharness_junit_properties = false\n")
    gates("--harness-candidate=worse", "-k", "zh", "--junitxml", "bare.xml")
    assert not list(ElementTree.parse(pytester.path / "bare.xml").iter("property"))


def test_the_markdown_report_is_the_gates_own(gates: Gates, pytester: pytest.Pytester) -> None:
    gates("--harness-candidate=worse", "--harness-report=out/gate.md")
    text = (pytester.path / "out" / "gate.md").read_text()
    assert text.startswith("# gates/release.gate.yaml\n\n## ✗ FAIL\n")


def test_a_report_of_another_kind_is_refused_before_anything_is_judged(gates: Gates) -> None:
    done = gates("--harness-candidate=worse", "--harness-report=gate.pdf")
    assert done.ret == pytest.ExitCode.USAGE_ERROR


def test_github_gets_annotations_on_the_rules_lines_and_a_summary(
    gates: Gates, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = pytester.path / "summary"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    done = gates("--harness-candidate=worse", "--harness-github")
    done.stdout.fnmatch_lines_random(
        [
            "::error file=gates/release.gate.yaml,line=4,title=fail letters%3A%3Aaccuracy%3A%3Azh::✗ fail*",
            "::warning file=gates/release.gate.yaml,line=6,title=fail short%3A%3Aexact_match%3A%3Aall::✗ fail*",
        ]
    )
    assert summary.read_text().startswith("## ✗ FAIL\n")


def test_a_session_without_a_plugin_ignores_policy_files(gates: Gates, pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_other(): pass")
    done = pytester.runpytest_inprocess("-p", "no:harness", "-p", "no:cacheprovider")
    done.assert_outcomes(passed=1)
