import LossDefinitions

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Times a whole training objective against copying its head maps.
enum Bench: Command {
  static let name = "bench"
  static let abstract = "Time a training objective, and what copying its head maps takes."
  static let help = """
    usage: lossref bench --loss yolov8 [--images N] [--side PIXELS] [--runs N] [--seed S]

    Value, terms, the gradient of all heads and the assignment of a synthetic batch in
    Float, on one thread: the best of the runs, in milliseconds, beside the copy of the
    same head maps in the same run.

    --images N     images of the batch (default 16)
    --side PIXELS  side of the images, a multiple of 32 (default 640)
    --runs N       runs, of which the fastest counts (default 9)
    --seed S       the batch's seed (default 1)
    """

  static func run(_ arguments: Arguments) throws -> Int32 {
    var arguments = arguments
    let loss = try arguments.option("--loss") ?? "yolov8"
    guard loss == YOLOv8.name else {
      throw UsageError("no benchmark of \(loss); known: \(YOLOv8.name)")
    }
    let images = try arguments.number("--images", as: Int.self) ?? 16
    let side = try arguments.number("--side", as: Int.self) ?? 640
    let runs = try arguments.number("--runs", as: Int.self) ?? 9
    let seed = try arguments.number("--seed", as: Int.self) ?? 1
    try arguments.finish()
    guard side % 32 == 0, (32...4096).contains(side) else {
      throw UsageError("--side \(side); expected a multiple of 32 up to 4096")
    }
    guard (1...256).contains(images), runs > 0, seed >= 0 else {
      throw UsageError("--images is 1 to 256, --runs at least 1, --seed at least 0")
    }

    let synthetic = SyntheticBatch(
      seed: UInt64(seed), side: side, images: images, classes: 80, truths: 20...20)
    var bench = YOLOv8Bench(synthetic)
    try bench.measure(runs)
    print(bench.report)
    return 0
  }
}

/// YOLOv8's objective over one batch, stage by stage.
private struct YOLOv8Bench {
  private let objective = YOLOv8()
  private let workspace = YOLOv8Workspace()
  private let truths: YOLOv8.Truths
  private let boxes, scores: Shaped<Float>
  private var terms: YOLOv8.Terms?
  private var foreground = 0
  /// The best time of each stage, in milliseconds.
  private var times: [(name: String, best: Double)] = []

  init(_ batch: SyntheticBatch) {
    let outputs = batch.outputs()
    let grid = AnchorGrid(
      batch.strides.map { (batch.height / $0, batch.width / $0) },
      strides: batch.strides.map { Double($0) })
    var rows: [YOLOv8.Row] = []
    for (image, truths) in outputs.truths.enumerated() {
      for (box, label) in zip(truths.boxes, truths.labels) {
        rows.append(
          YOLOv8.Row(
            image: image, label: label, x: (box.x1 + box.x2) / 2 / Double(batch.width),
            y: (box.y1 + box.y2) / 2 / Double(batch.height),
            width: (box.x2 - box.x1) / Double(batch.width),
            height: (box.y2 - box.y1) / Double(batch.height)))
      }
    }
    truths = YOLOv8.Truths(grid, rows)
    (boxes, scores) = (outputs.boxes, outputs.scores)
  }

  mutating func measure(_ runs: Int) throws {
    let (boxShape, scoreShape) = (boxes.shape, scores.shape)
    let (boxValues, scoreValues) = (boxes.data, scores.data)
    var (boxGradient, scoreGradient) = (boxValues, scoreValues)
    try boxValues.withUnsafeBufferPointer { boxValues in
      try scoreValues.withUnsafeBufferPointer { scoreValues in
        try boxGradient.withUnsafeMutableBufferPointer { boxSlopes in
          try scoreGradient.withUnsafeMutableBufferPointer { scoreSlopes in
            guard let b = boxValues.baseAddress, let bs = boxSlopes.baseAddress,
              let s = scoreValues.baseAddress, let ss = scoreSlopes.baseAddress
            else { return }
            let boxes = HeadBuffer(shape: boxShape, values: b, gradient: bs)
            let scores = HeadBuffer(shape: scoreShape, values: s, gradient: ss)
            var decode = Double.infinity
            var (copy, assign, classes, rest, whole) = (decode, decode, decode, decode, decode)
            for _ in 0..<runs {
              copy = min(
                copy,
                milliseconds {
                  memcpy(bs, b, boxValues.count * MemoryLayout<Float>.stride)
                  memcpy(ss, s, scoreValues.count * MemoryLayout<Float>.stride)
                })
              whole = min(
                whole,
                try milliseconds {
                  terms = try workspace(objective, boxes: boxes, scores: scores, truths)
                })
              decode = min(
                decode,
                try milliseconds {
                  try workspace.decode(objective, boxes: boxes, scores: scores, truths)
                })
              assign = min(
                assign,
                try milliseconds {
                  try workspace.assign(objective, boxes: boxes, scores: scores, truths)
                })
              classes = min(
                classes,
                milliseconds { _ = workspace.classTerm(objective, scores: scores) })
              rest = min(
                rest,
                milliseconds { _ = workspace.boxTerms(objective, boxes: boxes, truths.grid) })
            }
            times = [
              ("copy of the head maps", copy), ("whole objective", whole),
              ("  decode of the candidates", decode),
              ("  assignment after that", max(assign - decode, 0)), ("  class term", classes),
              ("  box terms", rest),
            ]
          }
        }
      }
    }
    foreground = workspace.decisions(images: boxShape[0]).joined().count
  }

  var report: String {
    let copy = times[0].best
    let lines = times.map { name, best in
      "\(padded(name, 28))\(rounded(best, 8)) ms \(rounded(best / copy, 7)) copies"
    }
    let shape = "boxes \(boxes.shape), scores \(scores.shape), Float, one thread"
    let scene =
      "\(truths.rows.count) truths, \(foreground) anchors of the foreground"
    let values = terms.map { "terms \($0.box) \($0.classes) \($0.distribution)" } ?? ""
    return ([shape, scene] + lines + [values]).joined(separator: "\n")
  }

  private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }

  private func rounded(_ x: Double, _ width: Int) -> String {
    let hundredths = Int((100 * x).rounded())
    let text = "\(hundredths / 100).\(hundredths % 100 / 10)\(hundredths % 10)"
    return String(repeating: " ", count: max(0, width - text.count)) + text
  }

  private func milliseconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    try body()
    let (seconds, attoseconds) = (clock.now - start).components
    return Double(seconds) * 1e3 + Double(attoseconds) * 1e-15
  }
}
