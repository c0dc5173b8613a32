"""Setting up and running on one machine: what is refused, and in which words."""

import gettext
import os
import signal
import socket
import stat
import sys
import time
from pathlib import Path

import pytest

from deploy.local import bootstrap, demo, translations


def interpreter(path: Path, answer: str) -> Path:
    """A program that answers the question for its version with these words; without words it fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n" + (f"echo {answer}\n" if answer else "exit 1\n"))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose only Python is the one that runs the bootstrap, and that is too old; its folder of programs."""
    programs = tmp_path / "bin"
    programs.mkdir()
    # The stand-ins are shell scripts.
    (programs / "sh").symlink_to("/bin/sh")
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.delenv("BACKLOT_PYTHON", raising=False)
    monkeypatch.setattr(sys, "executable", str(interpreter(tmp_path / "old" / "python3", "3 11")))
    return programs


class TestFindingPython:
    def test_a_machine_with_an_old_python_only_is_told_what_is_needed_and_how_to_name_one(self, machine: Path) -> None:
        with pytest.raises(SystemExit) as refusal:
            bootstrap.find_python()
        words = str(refusal.value)
        assert "needs Python 3.12 or newer with its venv module, and found none" in words
        assert "BACKLOT_PYTHON=/path/to/python3.13 make demo" in words

    def test_the_named_interpreter_comes_first(self, machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        interpreter(machine / "python3.13", "3 13")
        named = interpreter(machine / "elsewhere" / "python", "3 12")
        monkeypatch.setenv("BACKLOT_PYTHON", str(named))
        assert bootstrap.find_python() == str(named)

    def test_an_interpreter_without_venv_or_too_old_is_passed_over(self, machine: Path) -> None:
        interpreter(machine / "python3.13", "")
        interpreter(machine / "python3", "3 9")
        interpreter(machine / "python3.12", "3 12")
        assert bootstrap.find_python() == "python3.12"

    def test_versions_that_pyenv_installed_are_found(self, machine: Path, tmp_path: Path) -> None:
        kept = interpreter(tmp_path / "pyenv" / "versions" / "3.13.2" / "bin" / "python3", "3 13")
        interpreter(tmp_path / "pyenv" / "versions" / "3.9.1" / "bin" / "python3", "3 9")
        assert bootstrap.find_python() == str(kept)


def test_a_taken_port_is_named_with_a_way_out_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
        assert demo.main([]) == 1
    assert capsys.readouterr().out == f"Port {port} is taken. Choose another: PORT={port + 10} make demo\n"
    assert not (tmp_path / "data").exists()


class TestReset:
    @pytest.fixture(autouse=True)
    def _directory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.directory = tmp_path / "data"
        monkeypatch.setenv("DATA_DIR", str(self.directory))

    def test_a_folder_that_is_not_ours_stays(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory.mkdir()
        photo = self.directory / "holiday.jpg"
        photo.write_bytes(b"dear")
        assert demo.reset([]) == 1
        assert photo.read_bytes() == b"dear"
        assert "nothing was removed" in capsys.readouterr().out

    def test_our_folder_goes(self, capsys: pytest.CaptureFixture[str]) -> None:
        (self.directory / "broker").mkdir(parents=True)
        (self.directory / "demo-password").write_text("secret")
        assert demo.reset([]) == 0
        assert not self.directory.exists()
        assert capsys.readouterr().out == f"Removed {self.directory}\n"

    def test_no_folder_is_no_mistake(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert demo.reset([]) == 0
        assert "There is no data" in capsys.readouterr().out


class TestCompilingTranslations:
    @pytest.fixture(autouse=True)
    def _locale(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(translations, "FOLDERS", (tmp_path,))
        self.sources = [tmp_path / language / "LC_MESSAGES" / "django.po" for language in ("fr", "ht")]
        for source, word in zip(self.sources, ("Bonjour", "Bonjou"), strict=True):
            source.parent.mkdir(parents=True)
            source.write_text(
                'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
                '"Plural-Forms: nplurals=2; plural=(n > 1);\\n"\n\n'
                f'msgid "Hello"\nmsgstr "{word}"\n\n'
                f'msgid "one title"\nmsgid_plural "%(n)s titles"\nmsgstr[0] "{word} 1"\nmsgstr[1] "{word} %(n)s"\n'
            )

    def test_both_languages_are_compiled_with_their_plurals_without_gettext(self, tmp_path: Path) -> None:
        assert translations.compile_all() == 2
        for language, word in (("fr", "Bonjour"), ("ht", "Bonjou")):
            found = gettext.translation("django", tmp_path, [language])
            assert found.gettext("Hello") == word
            assert found.ngettext("one title", "%(n)s titles", 0) == f"{word} 1"
            assert found.ngettext("one title", "%(n)s titles", 2) == f"{word} %(n)s"

    def test_only_what_changed_is_compiled_again(self) -> None:
        translations.compile_all()
        assert translations.compile_all() == 0
        soon = time.time() + 5
        os.utime(self.sources[1], (soon, soon))
        assert translations.compile_all() == 1


class TestParts:
    def part(self, directory: Path, program: str) -> demo.Part:
        return demo.Part("part", [sys.executable, "-c", program], dict(os.environ), directory / "logs" / "part.log")

    def test_a_part_that_ignores_the_request_to_end_is_ended(self, tmp_path: Path) -> None:
        program = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"
        part = self.part(tmp_path, program + "; time.sleep(600)")
        part.start()
        assert part.process is not None
        while "up" not in part.log.read_text():
            time.sleep(0.02)
        assert part.alive()
        part.stop(patience=0.2)
        assert part.process.returncode == -signal.SIGKILL

    def test_a_part_that_ends_at_once_is_named_with_its_log(self, tmp_path: Path) -> None:
        part = self.part(tmp_path, "raise SystemExit('no such table')")
        part.start()
        with pytest.raises(SystemExit, match="part ended at once; its log: ") as refusal:
            demo.wait_until_ready([part], demo.free_port(), seconds=20)
        assert str(part.log) in str(refusal.value)
        assert "no such table" in part.log.read_text()
