import LossDefinitions

/// A function that implementations are held against: a loss as its chapter defines it, or as a
/// framework writes it, in a format.
struct Subject: Sendable {
  let selection: Selection
  let family: Family
  let strata: [String]
  let targetIsIndex: Bool
  /// Items of a stratum, rounded to the format; those that the format cannot hold are left out.
  let items: @Sendable (_ stratum: String, _ count: Int, _ seed: UInt64) -> [Item]
  /// Whether the function answers 1 − L.
  let isSimilarity: Bool
  /// Whether the function is the loss at an item: a dialect's may refuse it, or clip the value.
  let covers: @Sendable (Item) -> Bool
  /// The bands of an item's numbers, whatever an answer is.
  let bands: @Sendable (Item, Rounding) -> ItemBands
  /// Whether a prediction may be as wide as that, and have that target.
  private let fits: @Sendable (_ width: Int, _ target: [Double]) -> Bool
  private let judging: @Sendable (Item, Double, [Double]?, Rounding, Bool) -> Judgement

  var format: Format { selection.format }

  /// Holds an answer against its bands.
  ///
  /// - Parameter isSimilarity: whether it is 1 − L; by default as the function answers.
  func judge(
    _ item: Item, _ value: Double, _ gradient: [Double]?, _ rounding: Rounding,
    isSimilarity: Bool? = nil
  ) -> Judgement {
    judging(item, value, gradient, rounding, isSimilarity ?? self.isSimilarity)
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
      Subject(E.L(), "native", isSimilarity: false, format) { _ in true }
    }
    return make(entry)
  }

  /// The loss as the dialects write it, with default arguments, as far as their functions answer item
  /// by item with the loss or one less the loss; its own dialects first, then others of its family.
  static func dialects(_ entry: any CatalogEntry, _ format: Format) -> [Subject] {
    func make<E: CatalogEntry>(_ entry: E) -> [Subject] {
      let others = catalog.map { $0.loss }
        .filter { $0.family == E.L.family && $0.name != E.L.name }
        .flatMap { $0.dialects }
      return (E.L.dialects + others).compactMap { dialect in
        let name = "\(dialect.peer)/\(dialect.function)"
        return Wiring<E.L>(dialect).map {
          Subject($0.loss, name, isSimilarity: $0.isSimilarity, format, covers: $0.covers)
        }
      }
    }
    return make(entry)
  }

  private init<L: Loss>(
    _ loss: L, _ dialect: String, isSimilarity: Bool, _ format: Format,
    covers: @escaping @Sendable (Item) -> Bool
  ) {
    let loss = loss.rounded(to: format)
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
    bands = { item, rounding in
      BandJudge(loss: loss, rounding: rounding, isSimilarity: isSimilarity).itemBands(at: item)
    }
    let width = (L.self as? any FixedWidthLoss.Type)?.width ?? loss.requiredWidth
    fits = { count, target in
      count > 0 && count == width ?? count && target.count == L.targetWidth(for: count)
        && (!L.targetIsIndex || target.allSatisfy { 0 <= $0 && $0 < Double(count) })
    }
    judging = { item, value, gradient, rounding, isSimilarity in
      BandJudge(loss: loss, rounding: rounding, isSimilarity: isSimilarity)
        .judge(item, value: value, gradient: gradient)
    }
  }
}

// MARK: - What a dialect's function does to an item

/// Notes which loss a dialect evaluates, and answers with a number of its own.
private final class Capture<Wanted: Loss>: Evaluator, @unchecked Sendable {
  struct Unevaluated: Error {}
  let value: Double
  var loss: Wanted?
  var items: [Item] = []

  init(value: Double) { self.value = value }

  func evaluate<L: Loss>(_ loss: L, _ items: [Item]) throws -> [Gradient<Double>] {
    guard let loss = loss as? Wanted else { throw Unevaluated() }
    self.loss = loss
    self.items = items
    return items.map {
      Gradient(
        value, prediction: $0.prediction.map { _ in 1 }, target: $0.target.map { _ in 1 })
    }
  }

  func evaluate<O: Objective>(
    _ objective: O, _ scene: Scene<O.Truths>, deciding decisions: O.Decisions?
  ) throws -> ObjectiveResult<O> { throw Unevaluated() }

  func solve<A: Assignment>(_ assignment: A, _ problem: A.Problem) throws -> A.Matching {
    throw Unevaluated()
  }
}

/// How a dialect's function is called so that it answers item by item with the loss, or one less it.
private struct Wiring<L: Loss>: Sendable {
  let dialect: Dialect
  let parameters: [String: Parameter]
  /// The names of the inputs.
  let prediction: String
  let target: String
  let isFlat: Bool
  private(set) var loss = L()
  private(set) var isSimilarity = false

  /// The arguments under which functions answer item by item, where the defaults do not.
  private static var forms: [[String: Parameter]] {
    [
      [:], ["format": .text("xyxy")],
      ["format": .text("xyxy"), "axis": .text("no_reduction")],
      ["alpha": .text("differentiated")], ["from_logits": .flag(true)], ["beta": .number(1)],
    ]
  }

  init?(_ dialect: Dialect) {
    guard dialect.inputs.count >= 2 else { return nil }
    var random = SplitMix(seed: 1, L.name)
    let item = L().sample(L.strata[0], using: &random)
    let (first, second) = (dialect.inputs[0], dialect.inputs[1])
    for parameters in Self.forms {
      for (prediction, target) in [(first, second), (second, first)] {
        for isFlat in [false, true] {
          var wiring = Wiring(
            dialect: dialect, parameters: parameters, prediction: prediction, target: target,
            isFlat: isFlat)
          guard let loss = wiring.answer(item, 0.25)?.loss else { continue }
          wiring.loss = loss
          for isSimilarity in [false, true] {
            wiring.isSimilarity = isSimilarity
            if wiring.passes(item, 0.25), wiring.passes(item, 1.75) {
              self = wiring
              return
            }
          }
        }
      }
    }
    return nil
  }

  private init(
    dialect: Dialect, parameters: [String: Parameter], prediction: String, target: String,
    isFlat: Bool
  ) {
    self.dialect = dialect
    self.parameters = parameters
    self.prediction = prediction
    self.target = target
    self.isFlat = isFlat
  }

  /// Whether the function answers the item with its loss, and would with losses a little off it.
  @Sendable func covers(_ item: Item) -> Bool {
    let value = loss.value(at: item)
    return passes(item, value - 0x1p-10) && passes(item, value + 0x1p-10)
  }

  /// Whether a loss of that value is what the function answers, and its slopes the gradient.
  private func passes(_ item: Item, _ value: Double) -> Bool {
    guard let answer = answer(item, value) else { return false }
    return isSimilarity
      ? answer.value == 1 - value && answer.slope == -1
      : answer.value == value && answer.slope == 1
  }

  private func answer(
    _ item: Item, _ value: Double
  ) -> (loss: L, value: Double, slope: Double)? {
    let (n, m) = (item.prediction.count, item.target.count)
    let call = Call(
      parameters: parameters,
      inputs: [
        prediction: Tensor(isFlat ? [n] : [1, n], item.prediction),
        target: Tensor(isFlat || m != n ? [m] : [1, m], item.target),
      ], reduction: "none")
    let capture = Capture<L>(value: value)
    guard let answer = try? dialect.answer(call, with: capture), let loss = capture.loss,
      capture.items == [item], let result = answer.value, result.data.count == 1,
      let slopes = answer.gradients[prediction]?.data, let slope = slopes.first,
      slopes.allSatisfy({ $0 == slope })
    else { return nil }
    return (loss, result.data[0], slope)
  }
}
