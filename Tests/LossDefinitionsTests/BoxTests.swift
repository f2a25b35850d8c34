import LossDefinitions
import Testing

@Suite struct BoxTests {
  static let pairs: [Item] = {
    var random = SplitMix(seed: 7, "BoxTests")
    return CIoU.strata.flatMap { stratum in
      (0..<24).map { _ in CIoU().sample(stratum, using: &random).roundedToFloat }
    }
  }()

  /// The paper's two arctangents and the reference's one are the same function.
  @Test func aspectTermIsThePapers() {
    for item in Self.pairs {
      let (p, t) = (Box(item.prediction), Box(item.target))
      let turn = Double.atan(t.width / t.height) - Double.atan(p.width / p.height)
      let v = 4 / (Double.pi * Double.pi) * turn * turn
      let apart = DIoU().reference(p, t)
      let iou = IoU().reference(p, t)
      let expected = v == 0 ? apart : apart + v * v / (iou + v)
      #expect(abs(CIoU().reference(p, t) - expected) <= 0x1p-44, "\(item)")
    }
  }

  @Test func similaritiesOfPairsAreOneMinusTheLoss() {
    check(IoU())
    check(GIoU())
    check(DIoU(epsilon: 1e-7))
    check(CIoU(.constant, epsilon: 1e-7))
  }

  private func check<L: BoxLoss>(_ loss: L) {
    let first = Self.pairs[0..<19].flatMap(\.prediction)
    let second = Self.pairs[30..<43].flatMap(\.target)
    let matrix = Pairwise(loss)(first, second)
    #expect(matrix.rows == 19 && matrix.columns == 13)
    var slopes = first.map { _ in 0.0 }
    var others = second.map { _ in 0.0 }
    for i in 0..<19 {
      for j in 0..<13 {
        let item = Item(Array(first[4 * i..<4 * i + 4]), Array(second[4 * j..<4 * j + 4]))
        let truth = loss.gradient(at: item)
        #expect(abs(matrix[i, j] - (1 - truth.value)) <= 0x1p-48)
        for k in 0..<4 {
          slopes[4 * i + k] -= truth.prediction[k]
          others[4 * j + k] -= truth.target[k]
        }
      }
    }
    func expectClose(_ a: [Double], _ b: [Double]) {
      let scale = b.map(\.magnitude).max() ?? 0
      for (x, y) in zip(a, b) { #expect(abs(x - y) <= scale * 0x1p-44, "\(L.name)") }
    }
    expectClose(matrix.first, slopes)
    expectClose(matrix.second, others)
  }

  @Test func pairsOfNothing() {
    let box: [Float] = [0, 0, 1, 1]
    let none = Pairwise(GIoU())([Float](), box)
    #expect(none.similarities.isEmpty && none.first.isEmpty)
    #expect(none.second == [0, 0, 0, 0])
    #expect(Pairwise(GIoU())(box, [Float]()).first == [0, 0, 0, 0])
  }

  /// NaN makes its own item NaN and leaves the others' bits; nothing traps on degenerate boxes.
  @Test func notANumberStaysInItsItem() throws {
    try stays(IoU())
    try stays(GIoU())
    try stays(DIoU())
    try stays(CIoU())
    try stays(SIoU())
    try stays(ShapeIoU())
    try stays(AlphaIoU(.giou, alpha: 0.5))
    for base in Base.allCases {
      try stays(InnerIoU(base))
      try stays(FocalerIoU(base))
    }
  }

  private func stays<L: BoxLoss>(_ loss: L) throws {
    let clean = Array(Self.pairs.prefix(11))
    let expected = try KernelEvaluator<Float>().evaluate(loss, clean)
    for k in 0..<8 {
      var items = clean
      if k < 4 { items[5].prediction[k] = .nan } else { items[5].target[k - 4] = .nan }
      let got = try KernelEvaluator<Float>().evaluate(loss, items)
      #expect(got[5].value.isNaN)
      #expect(loss.value(at: items[5]).isNaN)
      for i in items.indices where i != 5 {
        #expect(got[i].value == expected[i].value && got[i].prediction == expected[i].prediction)
      }
    }
  }

  /// Boxes without width, height or both: the kernels and the references agree on finite numbers.
  @Test func degenerateBoxes() throws {
    let boxes: [[Double]] = [
      [0, 0, 0, 0], [1, 1, 1, 3], [1, 1, 3, 1], [0, 0, 2, 2], [1, 1, 1, 1],
    ]
    let items = boxes.flatMap { p in boxes.map { Item(p, $0) } }
    try agree(IoU(), items)
    try agree(IoU(.square), items)
    try agree(GIoU(), items)
    try agree(DIoU(), items)
    try agree(CIoU(), items)
    try agree(CIoU(.attached, epsilon: 1e-7), items)
    try agree(CIoU(.gated, epsilon: 0), items)
    try agree(SIoU(), items)
    try agree(SIoU(epsilon: 1e-7), items)
    try agree(ShapeIoU(), items)
    for form in AlphaIoU.Form.allCases { try agree(AlphaIoU(form, alpha: 2), items) }
    for base in Base.allCases {
      try agree(InnerIoU(base), items)
      try agree(FocalerIoU(base), items)
    }
  }

  private func agree<L: BoxLoss>(_ loss: L, _ items: [Item]) throws {
    let got = try KernelEvaluator<Double>().evaluate(loss, items)
    for (answer, item) in zip(got, items) {
      let truth = loss.value(at: item)
      #expect(abs(answer.value - truth) <= 0x1p-48, "\(L.name) \(item)")
      let finite = answer.prediction.allSatisfy { $0.isFinite }
      #expect(finite, "\(L.name) \(item)")
    }
  }

  @Test func dialectsRefuseWhatIsNoBox() {
    func call(_ shape: [Int], _ data: [Double]) -> Call {
      Call(
        parameters: [:],
        inputs: ["boxes1": Tensor(shape, data), "boxes2": Tensor([1, 4], [0, 0, 1, 1])],
        reduction: "none")
    }
    let dialects = IoU.dialects + GIoU.dialects + DIoU.dialects + CIoU.dialects
    for dialect in dialects where dialect.inputs.contains("boxes1") {
      for bad in [
        call([1, 4], [2, 0, 1, 1]), call([1, 3], [0, 0, 1]), call([2, 2], [0, 0, 1, 1]),
      ] {
        #expect(throws: Refusal.self, "\(dialect.function)") {
          try dialect.answer(bad, with: ReferenceEvaluator())
        }
      }
    }
    #expect(
      throws: Refusal.rejected(
        "\"boxes1\" at index 0 is [2.0, 0.0, 1.0, 1.0]; expected x1 ≤ x2, y1 ≤ y2")
    ) {
      try GIoU.dialects[0].answer(call([1, 4], [2, 0, 1, 1]), with: ReferenceEvaluator())
    }
  }

  @Test func columnsAndBack() {
    let rows = (0..<32).map { Float($0) }
    let (a, b, c, d) = FloatLanes.columns(rows)
    for k in 0..<8 {
      #expect([a[k], b[k], c[k], d[k]] == Array(rows[4 * k..<4 * k + 4]))
    }
    var back = [Float](repeating: 0, count: 32)
    FloatLanes.storeColumns((a, b, c, d), &back)
    #expect(back == rows)

    let doubles = (0..<16).map { Double($0) }
    let columns = DoubleLanes.columns(doubles)
    for k in 0..<4 {
      #expect(
        [columns.0[k], columns.1[k], columns.2[k], columns.3[k]]
          == Array(doubles[4 * k..<4 * k + 4]))
    }
    var again = [Double](repeating: 0, count: 16)
    DoubleLanes.storeColumns(columns, &again)
    #expect(again == doubles)
  }
}
