"""npm packages of a test, as a lock file names them, fetched once into build/.

Where the registry cannot be reached, the tests fail and say so.
"""
import shutil
import subprocess

from stage import Failure

NPM_SECONDS = 120


def install(packages, installed, script):
    """npm ci of `packages` into `installed`, unless the same lock was installed there
    before, and the script beside them, which can then import them."""
    lock = (packages / "package-lock.json").read_bytes()
    stamp = installed / "installed-lock.json"
    if not (stamp.exists() and stamp.read_bytes() == lock):
        shutil.rmtree(installed, ignore_errors=True)
        installed.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(packages / name, installed)
        try:
            result = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
                                    cwd=installed, capture_output=True, text=True,
                                    timeout=NPM_SECONDS, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise Failure("npm is not installed: sh .ci/packages test") from None
        except subprocess.TimeoutExpired:
            raise Failure(f"npm has not fetched the packages within {NPM_SECONDS} s") from None
        if result.returncode != 0:
            raise Failure(f"npm could not fetch the packages:\n{result.stderr[-2000:]}")
        stamp.write_bytes(lock)
    shutil.copy(packages / script, installed)
    return installed / script
