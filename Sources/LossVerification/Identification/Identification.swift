import LossDefinitions

/// Finds which of the known variants of a loss an implementation computes: adaptive questions, until
/// one is left or no item tells the rest apart; then a few hundred items to confirm it.
public struct Identification: Sendable {
  public var loss = ""
  public var format = Format.f32
  public var seed: UInt64 = 1
  /// Items of all strata that confirm what is left.
  public var confirming = 400
  /// One item to ask for instead of all questions.
  public var onlyItem: Item?

  /// Questions of at most so many items each, until the candidates are told apart.
  private static let rounds = 12
  private static let batch = 12
  /// Times that items near the best are tried where none tells apart.
  private static let climbs = 3

  public init() {}

  /// - Parameter progress: hears the part that is done, between 0 and 1.
  /// - Throws: `Conformance.Unaskable`, before anything is asked; `ImplementationFailure`.
  public func run<I: Implementation>(
    _ implementation: inout I, progress: (Double) -> Void = { _ in }
  ) throws -> IdentificationReport {
    guard let entry = catalog.first(where: { $0.loss.name == loss }) else {
      throw Conformance.Unaskable(
        description: definitions.contains { $0.name == loss }
          ? "\(loss) has no items to identify programs on; losses have"
          : "no loss is named \(loss)")
    }
    let greeting = try implementation.greet()
    let arithmetic = try ArithmeticProbes(&implementation, format)
    let native = Subject.native(entry, format)
    var report = IdentificationReport(selection: native.selection, greeting: greeting, seed: seed)
    let classes = CandidateClass.all(entry, format)
    report.candidates = classes.count
    // Frameworks order their operations in their own ways: where another order leaves nothing known,
    // an answer contradicts nobody.
    let rounding = Rounding(format, flushes: arithmetic.flushes, everywhere: true)
    let pool = Pool(native: native)
    var inquiry = Inquiry(classes, pool, rounding, gradient: greeting.gradient)
    progress(0.1)
    let first =
      onlyItem.map { [$0.rounded(to: format, targetIsIndex: native.targetIsIndex)] }
      ?? pool.opening(seed)
    let shipped = Selection(
      loss: loss, dialect: Selection.shipped, parameters: [:], format: format)
    report.selection = shipped
    if let why = try open(&inquiry, first, shipped, &implementation) {
      report.notes.append(
        "it does not know the dialect \"\(Selection.shipped)\" (\(why)); asked for \"native\"")
      report.selection = native.selection
      if let why = try implementation.select(native.selection) {
        report.verdict = .unsupported
        report.reason = why
        return report
      }
      inquiry = Inquiry(classes, pool, rounding, gradient: greeting.gradient)
      try inquiry.ask(first, &implementation)
    }
    if onlyItem == nil, !inquiry.answered.isEmpty {
      progress(0.3)
      report.gap = try tellApart(&inquiry, &implementation)
      report.probes = inquiry.asked
      progress(0.6)
      let confirming = pool.strata(confirming, seed &+ 2) + pool.sizes(seed &+ 3)
      try inquiry.ask(confirming, &implementation)
      progress(0.9)
    }
    try report.conclude(&inquiry, &implementation)
    return report
  }

  /// Asks for what the program ships.
  ///
  /// - Returns: nil, or why it does not know that: it says so, ends, or has errors for all items.
  private func open<I: Implementation>(
    _ inquiry: inout Inquiry, _ items: [Item], _ selection: Selection, _ implementation: inout I
  ) throws -> String? {
    do {
      if let why = try implementation.select(selection) { return why }
    } catch is ImplementationFailure {
      _ = try implementation.greet()
      return "it ended"
    }
    try inquiry.ask(items, &implementation)
    return inquiry.failed.count == items.count ? inquiry.failed[0].why : nil
  }

  /// Asks for the items that tell most of the standing candidates apart, while there are any.
  ///
  /// - Returns: the widest gap that was found between candidates that are left.
  private func tellApart<I: Implementation>(
    _ inquiry: inout Inquiry, _ implementation: inout I
  ) throws -> Inquiry.Gap? {
    var widest: Inquiry.Gap?
    var climb = 0
    var items: [Item] = []
    for round in 0..<Self.rounds where inquiry.standing.count > 1 {
      if climb == 0 {
        items = inquiry.pool.fresh(
          inquiry.standing.map { inquiry.classes[$0].judge.subject }, seed &+ 100 &+ UInt64(round))
      }
      let survey = inquiry.survey(items)
      let best = survey.filter { $0.gap != nil }
        .sorted { ($1.apart, $1.gap?.share ?? 0) < ($0.apart, $0.gap?.share ?? 0) }
        .prefix(Self.batch)
      let telling = best.filter { $0.apart > 0 }.map(\.item)
      if telling.isEmpty {
        if let gap = best.first?.gap, gap.share > widest?.share ?? 0 { widest = gap }
        guard !best.isEmpty, climb < Self.climbs else { break }
        items = best.flatMap { inquiry.pool.near($0.item) }
        climb += 1
      } else {
        let before = inquiry.standing.count
        try inquiry.ask(telling, &implementation)
        // Answers that are no numbers tell nothing.
        guard inquiry.standing.count < before else { break }
        widest = nil
        climb = 0
      }
    }
    return widest
  }
}

extension Selection {
  /// The dialect that asks for what a program computes by itself, with no parameters.
  public static let shipped = "shipped"
}
