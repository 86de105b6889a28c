// The error for a journal that does not match expectations.

export class VerificationError extends Error {
  name = "VerificationError";

  constructor(summary, expectations, verdict) {
    super([summary, ...failures(expectations, verdict)].join("\n"));
    this.verdict = verdict;
  }
}

function failures(expectations, { findings, dropped }) {
  const lines = findings.flatMap(({ pass, why, nearest = [] }, index) => {
    if (pass) return [];
    const head = `  ${index + 1}. ${JSON.stringify(expectations[index])}\n     ${why}`;
    return [head, ...nearest.flatMap(nearMiss)];
  });
  const count = dropped.sent + dropped.other;
  if (count > 0) lines.push(`  ${count} older entries are no longer in the journal and were not checked`);
  return lines;
}

function nearMiss({ entry, differences }) {
  const differs = differences.map(({ field, expected, found }) => {
    return `         ${field}: expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`;
  });
  return [`     near: entry ${entry.sequence}, ${describe(entry)}, at ${entry.at}`, ...differs];
}

function describe({ kind, method, path, route, answer, socket, sockets }) {
  if (kind === "request") return `${method} ${path}${route ? `, ${declared(route, answer)}` : ""}`;
  return sockets ? `${kind} to sockets ${sockets.join(", ")}` : `${kind}, socket ${socket}`;
}

function declared(route, { number }) {
  return number ? `answer ${number} of ${route}` : `no answer of ${route}`;
}
