import LossDefinitions

/// A function that implementations are held against: a loss as its chapter defines it, or as a
/// framework writes it, in a format.
struct Subject: Sendable {
  let selection: Selection
  /// A dialect's arguments, or the settings of the definition, where they are not the default's:
  /// "eps=1e-07".
  let arguments: String
  /// Whether the arguments are those that the dialect's function has by itself.
  var isDefault = false
  /// Whether the dialect's function clips the loss.
  var isClipped = false
  /// The loss with all its settings, and with these rounded to the format: the same for the same
  /// function.
  let definition: String
  let function: String
  let family: Family
  let strata: [String]
  let targetIsIndex: Bool
  /// Items of a stratum, rounded to the format; those that the format cannot hold are left out.
  let items: @Sendable (_ stratum: String, _ count: Int, _ seed: UInt64) -> [Item]
  /// Whether the function answers 1 − L.
  let isSimilarity: Bool
  /// The function's value in Double, and its gradient.
  let value: @Sendable (Item) -> Double
  let gradient: @Sendable (Item) -> [Double]
  /// Whether the function is the loss at an item: a dialect's may refuse it, or clip the value.
  let covers: @Sendable (Item) -> Bool
  /// The bands of an item's numbers, whatever an answer is.
  let bands: @Sendable (Item, Rounding) -> ItemBands
  /// Whether a prediction may be as wide as that, and have that target.
  private let fits: @Sendable (_ width: Int, _ target: [Double]) -> Bool
  private let judgingOne: @Sendable (Item, Double, [Double]?, Rounding, Bool) -> Judgement
  private let judging:
    @Sendable ([Item], [(value: Double, gradient: [Double]?)?], Rounding, Bool) -> [Judgement?]

  var format: Format { selection.format }

  /// The strata of a trial: the loss's own and, of boxes, tiny and minute ones, where an epsilon under
  /// an area or a side shows.
  var trialStrata: [String] { strata + (family == .boxes ? [Self.tiny, Self.minute] : []) }

  /// Items of a stratum of a trial.
  func trialItems(_ stratum: String, _ count: Int, _ seed: UInt64) -> [Item] {
    guard family == .boxes, [Self.tiny, Self.minute].contains(stratum) else {
      return items(stratum, count, seed)
    }
    // Values are divided by areas, slopes by their squares: correct programs must be able to hold them.
    let (first, power) = stratum == Self.tiny ? (10, 4.0) : (26, 2.0)
    return items("unit", count, seed &+ UInt64(first)).enumerated().compactMap { k, item in
      let scale = Double(sign: .plus, exponent: -first - k % 16, significand: 1)
      let boxes = [item.prediction, item.target].map { $0.map { $0 * scale } }
      let least = boxes.flatMap { [$0[2] - $0[0], $0[3] - $0[1]] }.filter { $0 > 0 }.min() ?? 0
      guard Double.pow(least, power) > 0x1p10 * format.leastNormal else { return nil }
      return Item(boxes[0], boxes[1]).rounded(to: format)
    }
  }

  /// Whether the gradients of a stratum's items are judged, too.
  func judgesGradients(of stratum: String) -> Bool {
    family != .boxes || stratum != Self.minute
  }

  private static let tiny = "tiny"
  private static let minute = "minute"

  /// Holds one answer against its bands, each of which the judgement carries.
  func judge(
    _ item: Item, _ value: Double, _ gradient: [Double]?, _ rounding: Rounding,
    isSimilarity: Bool? = nil
  ) -> Judgement {
    judgingOne(item, value, gradient, rounding, isSimilarity ?? self.isSimilarity)
  }

  /// Holds answers against their bands; nil where there are no numbers.
  ///
  /// - Parameter isSimilarity: whether they are 1 − L; by default as the function answers.
  func judge(
    _ items: [Item], _ answers: [CaseAnswer], _ rounding: Rounding, isSimilarity: Bool? = nil
  ) -> [Judgement?] {
    let numbers = answers.map { answer -> (value: Double, gradient: [Double]?)? in
      if case .numbers(let value, let gradient) = answer { (value, gradient) } else { nil }
    }
    return judging(items, numbers, rounding, isSimilarity ?? self.isSimilarity)
  }

  /// The item that a text names: the prediction's bits, a colon, the target's bits or index. Nil where
  /// it is not like this loss's items.
  func item(_ text: String) -> Item? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, let prediction = PackedNumbers.numbers(parts[0], format),
      let target = targetIsIndex
        ? Int(parts[1]).map({ [Double($0)] }) : PackedNumbers.numbers(parts[1], format),
      fits(prediction.count, target)
    else { return nil }
    return Item(prediction, target)
  }

  /// The loss as its chapter defines it, with default hyperparameters.
  static func native(_ entry: any CatalogEntry, _ format: Format) -> Subject {
    func make<E: CatalogEntry>(_ entry: E) -> Subject {
      Subject(E.L(), "native", "", format)
    }
    return make(entry)
  }

  /// The loss as the dialects write it, with default arguments, as far as their functions answer item
  /// by item with the loss or one less the loss; its own dialects first, then others of its family.
  static func dialects(_ entry: any CatalogEntry, _ format: Format) -> [Subject] {
    func make<E: CatalogEntry>(_ entry: E) -> [Subject] {
      dialects(of: E.L.self).compactMap { dialect in
        Wiring<E.L>(dialect).map { Subject($0, "", format) }
      }
    }
    return make(entry)
  }

  /// A loss's own dialects first, then others of its family, which may be of it under some arguments.
  static func dialects<L: Loss>(of _: L.Type) -> [Dialect] {
    let others = catalog.map { $0.loss }
      .filter { $0.family == L.family && $0.name != L.name }
      .flatMap { $0.dialects }
    return L.dialects + others
  }

  /// A dialect's function.
  ///
  /// - Parameter arguments: as reports name them: "eps=1e-07".
  init<L: Loss>(_ wiring: Wiring<L>, _ arguments: String, _ format: Format) {
    let dialect = wiring.dialect
    self.init(
      wiring.loss, "\(dialect.peer)/\(dialect.function)", arguments,
      isSimilarity: wiring.isSimilarity, format, covers: wiring.covers)
    isClipped = wiring.isClipped
  }

  init<L: Loss>(
    _ defined: L, _ dialect: String, _ arguments: String, isSimilarity: Bool = false,
    _ format: Format, covers: @escaping @Sendable (Item) -> Bool = { _ in true }
  ) {
    let loss = defined.rounded(to: format)
    definition = "\(defined)"
    self.arguments = arguments
    function = "\(loss)"
    selection = Selection(
      loss: L.name, dialect: dialect,
      parameters: Dictionary(
        uniqueKeysWithValues: L.hyperparameters.map { ($0.name, loss[keyPath: $0.path]) }),
      format: format)
    family = L.family
    strata = L.strata
    targetIsIndex = L.targetIsIndex
    items = { stratum, count, seed in
      var random = SplitMix(seed: seed, L.name, dialect, stratum, format.rawValue)
      return (0..<count).compactMap { _ in
        let item = loss.sample(stratum, using: &random)
          .rounded(to: format, targetIsIndex: L.targetIsIndex)
        let isFinite = (item.prediction + item.target).allSatisfy(\.isFinite)
        return isFinite && covers(item) ? item : nil
      }
    }
    self.covers = covers
    self.isSimilarity = isSimilarity
    value = { isSimilarity ? 1 - loss.value(at: $0) : loss.value(at: $0) }
    gradient = { item in
      let slopes = loss.gradient(at: item).prediction
      return isSimilarity ? slopes.map { -$0 } : slopes
    }
    bands = { item, rounding in
      BandJudge(loss: loss, rounding: rounding, isSimilarity: isSimilarity).itemBands(at: item)
    }
    let width = (L.self as? any FixedWidthLoss.Type)?.width ?? loss.requiredWidth
    fits = { count, target in
      count > 0 && count == width ?? count && target.count == L.targetWidth(for: count)
        && (!L.targetIsIndex || target.allSatisfy { 0 <= $0 && $0 < Double(count) })
    }
    judgingOne = { item, value, gradient, rounding, isSimilarity in
      BandJudge(loss: loss, rounding: rounding, isSimilarity: isSimilarity)
        .judge(item, value, gradient)
    }
    judging = { items, answers, rounding, isSimilarity in
      BandJudge(loss: loss, rounding: rounding, isSimilarity: isSimilarity).judge(items, answers)
    }
  }
}
