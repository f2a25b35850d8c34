import LossDefinitions

/// Holds an implementation against the definitions: probes, then items by strata, then the simplest
/// item for each way of being wrong.
public struct Conformance: Sendable {
  /// Names of losses; empty means all that the implementation says it offers.
  public var losses: [String] = []
  /// "native", a framework, or a framework's function: "torchvision/complete_box_iou_loss".
  public var dialect = "native"
  public var format = Format.f32
  /// Items a loss.
  public var cases = 20_000
  public var seed: UInt64 = 1
  /// Whether the tight band decides instead of the accurate one.
  public var isStrict = false
  /// One item to ask for instead of all strata.
  public var onlyItem: Item?
  /// What is expected to fail.
  public var known = KnownFailures()

  /// A stratum of which a larger part is open is named; where the tight band decides, it makes the
  /// verdict inconclusive, as do more than half of all items.
  public static let openLimit = 0.01

  public init() {}

  /// A question that cannot be asked.
  public struct Unaskable: Error, CustomStringConvertible {
    public let description: String
  }

  /// - Parameter progress: hears the part that is done, between 0 and 1.
  /// - Throws: `Unaskable`, before anything is asked; `ImplementationFailure`.
  public func run<I: Implementation>(
    _ implementation: inout I, progress: (Double) -> Void = { _ in }
  ) throws -> [ConformanceReport] {
    var checked = CheckedImplementation(inner: implementation)
    defer { implementation = checked.inner }
    return try run(checked: &checked, progress)
  }

  private func run<I: Implementation>(
    checked implementation: inout CheckedImplementation<I>, _ progress: (Double) -> Void
  ) throws -> [ConformanceReport] {
    var subjects = try losses.map { try subject($0) }
    let greeting = try implementation.greet()
    if subjects.isEmpty {
      subjects = try greeting.losses.filter { $0 != "sum" }.map { try subject($0) }
    }
    guard !subjects.isEmpty else {
      throw ImplementationFailure("the program names no losses; say which by --loss")
    }
    let arithmetic = try ArithmeticProbes(&implementation, format)
    var reports: [ConformanceReport] = []
    let expected = try subjects.map { subject in
      try known.items(of: subject.selection).map { text, line in
        guard let item = subject.item(text) else {
          throw Unaskable(
            description: "known failures, line \(line): not an item of \(subject.selection.loss)")
        }
        return item
      }
    }
    for (i, subject) in subjects.enumerated() {
      var trial = Trial(
        self, subject, greeting, arithmetic, known: expected[i],
        isRecorded: implementation.isRecorded)
      do {
        try trial.run(&implementation) { progress((Double(i) + $0) / Double(subjects.count)) }
      } catch var failure as ImplementationFailure {
        trial.giveUp()
        failure.reports = reports + [trial.report]
        throw failure
      }
      reports.append(trial.report)
    }
    return reports
  }

  /// The item that a text names: the prediction's bits, a colon, the target's bits or index.
  public func item(_ text: String, of loss: String) throws -> Item {
    let subject = try subject(loss)
    guard let item = subject.item(text) else {
      throw Unaskable(
        description: "an item of \(loss) is hexadecimal digits of \(format.rawValue) numbers, "
          + "a colon, and the target's; not \"\(text)\"")
    }
    return item
  }

  /// What a command line ends with: 0 conforms, 1 does not, 3 the program failed or offers nothing of
  /// it, 4 nothing is wrong, but too many bands say nothing.
  ///
  /// Where several hold, 3 goes before 1, and 1 before 4.
  public static func exitStatus(_ reports: [ConformanceReport], faults: Int) -> Int32 {
    let verdicts = reports.map(\.verdict)
    if faults > 0 || verdicts.contains(.failed) || verdicts.contains(.unsupported) { return 3 }
    if verdicts.contains(.doesNotConform) { return 1 }
    return verdicts.contains(.inconclusive) ? 4 : 0
  }

  private func subject(_ name: String) throws -> Subject {
    guard let entry = catalog.first(where: { $0.loss.name == name }) else {
      throw Unaskable(
        description: definitions.contains { $0.name == name }
          ? "\(name) has no items to verify programs on; losses have"
          : "no loss is named \(name)")
    }
    if dialect == "native" { return .native(entry, format) }
    let dialects = Subject.dialects(entry, format)
    let chosen = dialects.filter {
      $0.selection.dialect == dialect || $0.selection.dialect.hasPrefix(dialect + "/")
    }
    guard chosen.count == 1 else {
      let names = (chosen.isEmpty ? dialects : chosen).map { "\n  " + $0.selection.dialect }
      let known = "native" + (names.isEmpty ? "" : names.joined())
      throw Unaskable(
        description: chosen.isEmpty
          ? "\(name) has no dialect \(dialect) that answers item by item; there are\n  \(known)"
          : "\(dialect) writes \(name) in several ways; say which:\(names.joined())")
    }
    return chosen[0]
  }
}
