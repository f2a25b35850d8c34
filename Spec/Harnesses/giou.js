// Answers `lossref verify --loss giou -- node giou.js`; put your function in place of `giou`.
const { fround: f, min, max } = Math;

function giou(p, t) {
  const w = f(p[2] - p[0]), h = f(p[3] - p[1]), W = f(t[2] - t[0]), H = f(t[3] - t[1]);
  const iw = max(0, f(min(p[2], t[2]) - max(p[0], t[0]))), ih = max(0, f(min(p[3], t[3]) - max(p[1], t[1])));
  const cw = f(max(p[2], t[2]) - min(p[0], t[0])), ch = f(max(p[3], t[3]) - min(p[1], t[1]));
  const I = f(iw * ih), C = f(cw * ch), U = f(f(f(w * h) + f(W * H)) - I);
  const gradient = [0, 1, 2, 3].map((k) => {
    const sign = k < 2 ? -1 : 1, inner = k < 2 ? p[k] > t[k] : p[k] < t[k];
    const dI = inner && I > 0 ? sign * (k % 2 ? iw : ih) : 0, dC = inner ? 0 : sign * (k % 2 ? cw : ch);
    const dU = f(sign * (k % 2 ? w : h) - dI);
    const overlap = f(f(f(dI * U) - f(I * dU)) / f(U * U));
    return f(f(f(f(U * dC) - f(dU * C)) / f(C * C)) - overlap);
  });
  return [f(f(1 - f(I / U)) + f(f(C - U) / C)), gradient];
}

const functions = { giou, sum: (p, t) => [f(p[0] + t[0]), [1]] };
let chosen;

const unpack = ({ data, shape: [n, width] }) => {
  const bytes = Buffer.from(data, "hex");
  return [...Array(n).keys()].map((i) => [...Array(width).keys()].map((k) => bytes.readFloatBE(4 * (i * width + k))));
};
const pack = (numbers) => {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((x, i) => bytes.writeFloatBE(x, 4 * i));
  return bytes.toString("hex");
};

require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const m = JSON.parse(line), say = (answer) => process.stdout.write(JSON.stringify(answer) + "\n");
  if (m.command === "hello") return say({ nonce: m.nonce, protocol: 1, name: "GIoU in JavaScript", losses: ["giou"] });
  if (m.command === "select") return say((chosen = m.dtype === "f32" && functions[m.loss]) ? { ok: true } : { unsupported: "only giou in f32" });
  if (m.command === "bye") return process.exit();
  const p = unpack(m.prediction), t = unpack(m.target), results = p.map((x, i) => chosen(x, t[i]));
  say({ seq: m.seq, value: pack(results.map((r) => r[0])), ...(m.gradient && { gradient: pack(results.flatMap((r) => r[1])) }) });
});
