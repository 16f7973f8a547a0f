// Tables of labels and predictions as CSV.

const COLUMNS = ["file", "probability", "predicted_label", "triage", "outcome", "outlier_score", "true_label", "reason", "warnings"];

function quote(value) {
  let text = value === null || value === undefined ? "" : String(value);
  // Spreadsheets would compute what begins so.
  if (/^[=+\-@\t\r]/.test(text) && Number.isNaN(Number(text))) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toCSV(rows) {
  const lines = rows.filter(row => row.answer).map(({ path, label, answer }) => [
    path, answer.probability, answer.label, answer.triage, answer.outcome, answer.outlier_score, label, answer.reason, answer.warnings.join(" "),
  ]);
  return [COLUMNS, ...lines].map(line => line.map(quote).join(",")).join("\n") + "\n";
}

function parseLine(line, delimiter) {
  const cells = [];
  for (let i = 0; i <= line.length;) {
    if (line[i] === '"') {
      let text = "";
      for (i++; i < line.length && !(line[i] === '"' && line[i + 1] !== '"'); i++) {
        if (line[i] === '"') i++;
        text += line[i];
      }
      cells.push(text);
      i = line.indexOf(delimiter, i) < 0 ? line.length + 1 : line.indexOf(delimiter, i) + 1;
    } else {
      const end = line.indexOf(delimiter, i) < 0 ? line.length : line.indexOf(delimiter, i);
      cells.push(line.slice(i, end).trim());
      i = end + 1;
    }
  }
  return cells;
}

export function readLabels(text, classes) {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/).filter(line => line.trim());
  const head = lines[0] || "", labels = new Map();
  const delimiter = [",", ";", "\t"].reduce((a, b) => head.split(b).length > head.split(a).length ? b : a);
  const names = parseLine(head, delimiter).map(name => name.toLowerCase());
  const [file, label] = [names.indexOf("file"), names.indexOf("label")];
  // A table of predictions has no column "label": predictions are not to become the truth.
  if (file < 0 || label < 0) return { labels, error: "A table of labels has the columns file and label." };
  for (const line of lines.slice(1)) {
    const cells = parseLine(line, delimiter);
    const known = classes.find(one => one.toLowerCase() === (cells[label] || "").toLowerCase());
    if (known) labels.set(cells[file], known);
  }
  return labels.size ? { labels, error: "" } : { labels, error: `The table has no label ${classes.join(" or ")}.` };
}
