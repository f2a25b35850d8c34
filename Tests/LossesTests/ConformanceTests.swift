import LossDefinitions
import LossVerification
import Testing

/// Code in this process as an implementation: how a package verifies its own functions in a test.
struct InProcess: Implementation {
  /// Changes an answer, to make it wrong.
  var change: @Sendable (Item, inout Gradient<Double>) -> Void = { _, _ in }
  /// Whether its sums flush subnormal numbers to zero.
  var flushes = false
  private var selection: Selection?

  init(change: @escaping @Sendable (Item, inout Gradient<Double>) -> Void = { _, _ in }) {
    self.change = change
  }

  mutating func greet() -> Greeting { Greeting(name: "kernels", losses: ["giou"]) }

  mutating func select(_ selection: Selection) -> String? {
    self.selection = selection
    return selection.format == .f16 || selection.format == .bf16 ? "no such kernels" : nil
  }

  mutating func evaluate(_ items: [Item], gradient: Bool) throws -> [CaseAnswer] {
    guard let selection else { return [] }
    guard let entry = catalog.first(where: { $0.loss.name == selection.loss }) else {
      return items.map {
        let sum = $0.prediction[0] + $0.target[0]
        let isTiny = selection.format.isSubnormal(sum)
        return .numbers(value: flushes && isTiny ? 0 : sum, gradient: nil)
      }
    }
    func answers<E: CatalogEntry>(_ entry: E) throws -> [Gradient<Double>] {
      selection.format == .f64
        ? try KernelEvaluator<Double>().evaluate(E.L(), items)
        : try KernelEvaluator<Float>().evaluate(E.L().roundedToFloat, items)
    }
    return try zip(items, answers(entry)).map { item, answer in
      var answer = answer
      change(item, &answer)
      return .numbers(value: answer.value, gradient: gradient ? answer.prediction : nil)
    }
  }
}

@Suite struct ConformanceTests {
  private func report(
    _ loss: String, _ format: Format = .f32, cases: Int = 800, strict: Bool = false,
    dialect: String = "native",
    change: @escaping @Sendable (Item, inout Gradient<Double>) -> Void = { _, _ in }
  ) throws -> ConformanceReport {
    var conformance = Conformance()
    conformance.losses = [loss]
    conformance.cases = cases
    conformance.format = format
    conformance.isStrict = strict
    conformance.dialect = dialect
    var implementation = InProcess(change: change)
    return try #require(try conformance.run(&implementation).first)
  }

  /// Nothing that the kernels answer is outside its band, for any loss in either precision.
  @Test(arguments: Listed.all)
  func kernelsAreInsideTheirBands(_ listed: Listed) throws {
    let isWide = [Family.classes, .regions].contains(listed.entry.loss.family)
    for format in [Format.f32, .f64] {
      let report = try report(listed.entry.loss.name, format, cases: isWide ? 40 : 240)
      #expect(report.findings.isEmpty, "\(report.findings.map { "\($0.what) \($0.caseText)" })")
      #expect(report.items > 0)
    }
  }

  @Test func boxKernelsConformStrictly() throws {
    for loss in ["iou", "giou", "diou", "ciou"] {
      #expect(try report(loss, strict: false).verdict == .conforms)
    }
  }

  @Test func aWrongSignIsFoundShrunkAndExplained() throws {
    let report = try report("giou") { _, answer in answer.prediction[2].negate() }
    #expect(report.verdict == .doesNotConform)
    let finding = try #require(report.findings.first)
    #expect(finding.what == "the gradient is outside its band")
    #expect(finding.quantity == "gradient 2")
    let size = finding.item.prediction + finding.item.target
    #expect(size.allSatisfy { $0.magnitude <= 16 }, "\(finding.item)")
    #expect(finding.dialects.isEmpty)
  }

  @Test func anotherVariantIsNamed() throws {
    let report = try report("ciou", cases: 400) { item, answer in
      var attached = CIoU()
      attached.weight = .attached
      if let other = try? KernelEvaluator<Float>().evaluate(attached, [item]).first {
        answer = other
      }
    }
    #expect(report.verdict == .doesNotConform)
    #expect(
      report.findings.contains { $0.dialects.contains("keras/compute_ciou") },
      "\(report.findings.map(\.dialects))")
  }

  @Test func smallRelativeErrorsOfTheGradientAreFound() throws {
    let single = try report("giou") { _, answer in
      answer.prediction = answer.prediction.map { Double(Float($0 * 1.0001)) }
    }
    #expect(single.verdict == .doesNotConform)
    let double = try report("giou", .f64) { _, answer in
      answer.prediction = answer.prediction.map { $0 * 1.000001 }
    }
    #expect(double.verdict == .doesNotConform)
  }

  @Test func narrowerArithmeticIsNamed() throws {
    let report = try report("giou") { _, answer in
      answer.value = Format.f16.rounded(answer.value)
      answer.prediction = answer.prediction.map { Format.f16.rounded($0) }
    }
    #expect(report.verdict == .doesNotConform)
    #expect(report.reason.contains("in f16"), "\(report.reason)")
  }

  @Test func anythingBetweenTheSidesOfAKinkIsRight() throws {
    var conformance = Conformance()
    conformance.losses = ["l1"]
    conformance.onlyItem = Item([2], [2])
    for (slope, verdict) in [
      (-1, ConformanceReport.Verdict.conforms), (0, .conforms), (0.5, .conforms), (1, .conforms),
      (1.5, .doesNotConform), (.nan, .doesNotConform),
    ] {
      var implementation = InProcess { _, answer in answer.prediction = [slope] }
      let report = try #require(try conformance.run(&implementation).first)
      #expect(report.verdict == verdict, "\(slope)")
    }
  }

  @Test func onlyProgramsThatFlushMayFlush() throws {
    var conformance = Conformance()
    conformance.losses = ["mse"]
    conformance.onlyItem = Item([1e-22], [0])
    for (flushes, verdict) in [
      (true, ConformanceReport.Verdict.conforms), (false, .doesNotConform),
    ] {
      var implementation = InProcess { _, answer in answer.value = 0 }
      implementation.flushes = flushes
      let report = try #require(try conformance.run(&implementation).first)
      #expect(report.verdict == verdict, "\(report.findings)")
    }
  }

  @Test func nansAndNegativeLossesAreCounted() throws {
    let report = try report("giou", cases: 100) { item, answer in
      if item.prediction[0] < item.target[0] { answer.value = -answer.value }
      if item.prediction[0] > item.target[0] { answer.prediction[0] = .nan }
    }
    let items = report.strata.map { ($0.nan, $0.negative, $0.items) }
    #expect(items.contains { $0.0 > 0 && $0.1 > 0 && $0.0 + $0.1 <= $0.2 })
    #expect(try self.report("giou", cases: 100).strata.allSatisfy { $0.nan + $0.negative == 0 })
  }

  @Test func aDialectIsJudgedAsItIsWritten() throws {
    // torchvision's loss has an epsilon under its ratios, which the far stratum shows.
    let native = try report("giou", dialect: "torchvision/generalized_box_iou_loss")
    #expect(native.selection.dialect == "torchvision/generalized_box_iou_loss")
    #expect(native.selection.parameters["unionEpsilon"] == Double(Float(1e-7)))
    #expect(throws: Conformance.Unaskable.self) { try report("giou", dialect: "nobody") }
    // The target comes first, the dialect is another loss's, and the loss has to be asked for.
    for (loss, dialect) in [
      ("sparse_cross_entropy", "keras/SparseCategoricalCrossentropy"),
      ("cross_entropy", "torch/cross_entropy"), ("bce_probabilities", "keras/BinaryCrossentropy"),
    ] {
      #expect(try report(loss, cases: 16, dialect: dialect).selection.dialect == dialect)
    }
    // What a function clips is not asked for: Keras clips no CIoU, MMDetection clips SIoU.
    #expect(try report("ciou", cases: 60, dialect: "keras/compute_ciou").items == 60)
    let clipped = try report("siou", cases: 60, dialect: "mmdet").strata
    #expect(clipped.contains { $0.name == "identical" && $0.items == 0 })
    #expect(clipped.contains { $0.name == "unit" && $0.items > 0 })
    #expect(throws: Conformance.Unaskable.self) { try report("nothing") }
  }

  @Test func whatIsNotOfferedIsUnsupported() throws {
    let report = try report("giou", .f16)
    #expect(report.verdict == .unsupported)
    #expect(Conformance.exitStatus([report], faults: 0) == 3)
  }
}
