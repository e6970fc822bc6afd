"""The Lambda's zip: the producer folder and the incremental JSON parser it uses."""
import zipfile
from pathlib import Path
import ijson
PROJECT = Path(__file__).resolve().parent.parent
PRODUCER_HANDLER = "lambda_function.lambda_handler"
def build_producer_zip(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for p in sorted((PROJECT / "producer").glob("*.py")):
            out.writestr(zipfile.ZipInfo(p.name, (1980,1,1,0,0,0)), p.read_bytes())
        d = Path(ijson.__file__).parent
        for p in sorted(d.rglob("*")):
            if p.is_file() and "__pycache__" not in p.parts:
                out.writestr(zipfile.ZipInfo("ijson/" + str(p.relative_to(d)), (1980,1,1,0,0,0)), p.read_bytes())
    return target
