import LossDefinitions

extension IdentificationReport {
  /// Reads the verdict off the candidates that are left.
  mutating func conclude<I: Implementation>(
    _ inquiry: inout Inquiry, _ implementation: inout I
  ) throws {
    items = inquiry.asked
    numbers = inquiry.answered.count
    undefined = inquiry.undefined.count
    rejected = inquiry.rejected.count
    if let failure = inquiry.failed.first {
      verdict = .failed
      reason = "the program failed on \(inquiry.failed.count) items: \(failure.why)"
      return
    }
    noteWhatIsNoNumber(inquiry)
    inquiry.dropTheSilent()
    guard numbers > 0 else {
      verdict = .undecided
      reason =
        inquiry.rejected.isEmpty
        ? "no answer is a number" : "every item is rejected: \(inquiry.rejected[0].why)"
      return
    }
    let standing = inquiry.standing
    if standing.isEmpty {
      let scores = inquiry.nearest()
      if let best = scores.first {
        inside = best.inside
        try findTheDifference(inquiry, best.place, &implementation)
        let alike = scores.filter { $0.isNear && $0.inside == best.inside }.map(\.place)
        if !alike.isEmpty {
          take(alike, inquiry)
          reason =
            "computed less carefully than its formula: \(numbers - inside) of \(numbers) answers are "
            + "outside its bands, by at most \(Int(Inquiry.slack)) ulp of 1 or of the gradient"
          return
        }
        nearest = Self.sorted(Self.names(inquiry.classes[best.place], 0))
      }
      verdict = .none
      reason = "none of \(candidates) candidates holds all answers"
      return
    }
    let count = take(standing, inquiry)
    if verdict == .several { explainTheOverlap(inquiry, count) }
  }

  /// Names the functions of the classes at these places.
  ///
  /// - Returns: how many functions they are.
  @discardableResult
  private mutating func take(_ standing: [Int], _ inquiry: Inquiry) -> Int {
    // What a function clips to is no difference where it does not come to that.
    let functions = standing.map { inquiry.classes[$0].judge }
      .map { "\($0.subject.function) \($0.isSimilarity)" }
    var order: [String] = []
    for function in functions where !order.contains(function) { order.append(function) }
    names = Self.sorted(
      zip(standing, functions).flatMap { place, function in
        Self.names(inquiry.classes[place], order.firstIndex(of: function) ?? 0)
      })
    verdict = order.count == 1 ? .one : .several
    return order.count
  }

  private mutating func noteWhatIsNoNumber(_ inquiry: Inquiry) {
    if let item = inquiry.undefined.first {
      notes.append(
        "\(undefined) of \(items) answers have a value or gradient that is not finite, "
          + "the first at prediction \(Self.list(item.prediction)), "
          + "target \(Self.list(item.target)); they decide nothing")
    }
    if let first = inquiry.rejected.first {
      notes.append("\(rejected) of \(items) items are rejected: \(first.why)")
    }
  }

  private static func list(_ numbers: [Double]) -> String {
    numbers.prefix(8).map { "\($0)" }.joined(separator: " ") + (numbers.count > 8 ? " ..." : "")
  }

  // MARK: Names

  private static func names(_ members: CandidateClass, _ function: Int) -> [Name] {
    members.members.map {
      Name(
        text: $0.name, isDefault: $0.subject.isDefault, rounded: $0.rounded, function: function)
    }
  }

  /// What frameworks do by default, the definition, what they do otherwise, its other settings.
  private static func sorted(_ names: [Name]) -> [Name] {
    func rank(_ name: Name) -> Int {
      let isComplement = name.text.hasPrefix("1 - ")
      if name.isDefault { return isComplement ? 2 : 0 }
      if name.text == "native" { return 1 }
      return (name.text.contains("native") ? 5 : 3) + (isComplement ? 1 : 0)
    }
    return names.enumerated()
      .sorted { (rank($0.element), $0.offset) < (rank($1.element), $1.offset) }.map(\.element)
  }

  // MARK: Several

  private mutating func explainTheOverlap(_ inquiry: Inquiry, _ count: Int) {
    let format = selection.format.name
    guard
      let gap = gap
        ?? inquiry.survey(inquiry.answered.suffix(400).map(\.item))
        .compactMap(\.gap).max(by: { $0.share < $1.share })
    else {
      reason = "\(count) functions give the same at every item that was tried"
      return
    }
    func name(_ place: Int) -> String {
      Self.sorted(Self.names(inquiry.classes[place], 0)).first?.text ?? ""
    }
    overlap = Overlap(
      names: (name(gap.places.0), name(gap.places.1)), item: gap.item, quantity: gap.quantity,
      truths: gap.truths, share: gap.share)
    reason =
      "\(count) functions that \(format) does not tell apart: where they differ most, it is by "
      + "\(Self.percent(gap.share)) of what rounding may do"
  }

  private static func percent(_ share: Double) -> String {
    let percent = 100 * share
    if percent < 0.01 { return "less than 0.01 %" }
    return percent < 1
      ? "\((percent * 100).rounded() / 100) %" : "\(Int(Swift.min(percent, 99).rounded())) %"
  }

  // MARK: The first difference

  private mutating func findTheDifference<I: Implementation>(
    _ inquiry: Inquiry, _ place: Int, _ implementation: inout I
  ) throws {
    func outside(_ answer: Inquiry.Answered) -> (at: Int, reading: Reading)? {
      let readings = inquiry.judge(answer, place).readings
      return readings.indices.first { readings[$0].placement == .outside }
        .map { ($0, readings[$0]) }
    }
    guard
      let (answer, first) = inquiry.answered.lazy
        .compactMap({ answer in outside(answer).map { (answer, $0) } }).first
    else { return }
    let ofValue = first.at == 0
    var shown: [Difference] = []
    let shrinking = Shrinking(inquiry.pool.native)
    let simplest = try shrinking.shrink(answer.item) { items in
      let answers = try implementation.evaluate(items, gradient: inquiry.gradient)
      return zip(items, answers).map { item, answer in
        guard case .numbers(let value, let gradient) = answer, value.isFinite,
          gradient?.allSatisfy(\.isFinite) ?? true,
          let found = outside(.init(item: item, value: value, gradient: gradient)),
          (found.at == 0) == ofValue
        else { return false }
        shown.append(Difference(item: item, quantity: found.at, reading: found.reading))
        return true
      }
    }
    difference =
      shown.last { $0.item == simplest }
      ?? Difference(item: answer.item, quantity: first.at, reading: first.reading)
  }
}

extension Format {
  /// As IEEE 754 calls it.
  var name: String {
    switch self {
    case .f16: "binary16"
    case .bf16: "bfloat16"
    case .f32: "binary32"
    case .f64: "binary64"
    }
  }
}
