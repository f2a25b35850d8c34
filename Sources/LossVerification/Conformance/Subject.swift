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
      Subject(E.L(), "native", isSimilarity: false, format)
    }
    return make(entry)
  }

  /// The loss as each of its dialects writes it, with default arguments, as far as the dialect's
  /// function answers item by item with the loss or one less the loss.
  static func dialects(_ entry: any CatalogEntry, _ format: Format) -> [Subject] {
    func make<E: CatalogEntry>(_ entry: E) -> [Subject] {
      E.L.dialects.compactMap { dialect in
        let name = "\(dialect.peer)/\(dialect.function)"
        return itemwise(dialect, E.L.self).map {
          Subject($0.loss, name, isSimilarity: $0.isSimilarity, format)
        }
      }
    }
    return make(entry)
  }

  private init<L: Loss>(_ loss: L, _ dialect: String, isSimilarity: Bool, _ format: Format) {
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
        return (item.prediction + item.target).allSatisfy(\.isFinite) ? item : nil
      }
    }
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

extension Subject {
  /// The arguments under which functions answer item by item, where the defaults do not.
  private static let forms: [[String: Parameter]] = [
    [:], ["format": .text("xyxy")],
    ["format": .text("xyxy"), "axis": .text("no_reduction")],
    ["alpha": .text("differentiated")],
  ]

  private static func itemwise<L: Loss>(
    _ dialect: Dialect, _: L.Type
  ) -> (loss: L, isSimilarity: Bool)? {
    guard dialect.inputs.count >= 2 else { return nil }
    var random = SplitMix(seed: 1, L.name)
    let item = L().sample(L.strata[0], using: &random)
    for form in forms {
      for shapes in shapes(of: item) {
        let call = Call(
          parameters: form,
          inputs: [
            dialect.inputs[0]: Tensor(shapes.0, item.prediction),
            dialect.inputs[1]: Tensor(shapes.1, item.target),
          ], reduction: "none")
        guard let small = answer(call, dialect, item, 0.25, L.self),
          let large = answer(call, dialect, item, 1024, L.self)
        else { continue }
        for (isSimilarity, values, slope) in [
          (false, (0.25, 1024.0), 1.0), (true, (0.75, -1023.0), -1.0),
        ] where (small.value, large.value) == values && small.slope == slope {
          return (small.loss, isSimilarity)
        }
      }
    }
    return nil
  }

  private static func shapes(of item: Item) -> [([Int], [Int])] {
    let (n, m) = (item.prediction.count, item.target.count)
    return m == n ? [([1, n], [1, m]), ([n], [m])] : [([1, n], [m])]
  }

  private static func answer<L: Loss>(
    _ call: Call, _ dialect: Dialect, _ item: Item, _ value: Double, _: L.Type
  ) -> (loss: L, value: Double, slope: Double)? {
    let capture = Capture<L>(value: value)
    guard let answer = try? dialect.answer(call, with: capture), let loss = capture.loss,
      capture.items == [item], let result = answer.value, result.data.count == 1,
      let slopes = answer.gradients[dialect.inputs[0]]?.data, let slope = slopes.first,
      slopes.allSatisfy({ $0 == slope })
    else { return nil }
    return (loss, result.data[0], slope)
  }
}
