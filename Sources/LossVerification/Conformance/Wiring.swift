import LossDefinitions

/// How a dialect's function is called so that it answers item by item with the loss, or one less it.
struct Wiring<L: Loss>: Sendable {
  let dialect: Dialect
  let parameters: [String: Parameter]
  /// The names of the inputs.
  let prediction: String
  let target: String
  let isFlat: Bool
  private(set) var loss = L()
  private(set) var isSimilarity = false
  /// Whether the function clips the loss.
  private(set) var isClipped = false
  /// Whether a call without the arguments is like this.
  private(set) var isDefault = false

  /// The arguments under which functions answer item by item, where the defaults do not.
  private static var forms: [[String: Parameter]] {
    [
      [:], ["format": .text("xyxy")],
      ["format": .text("xyxy"), "axis": .text("no_reduction")],
      ["alpha": .text("differentiated")], ["from_logits": .flag(true)], ["beta": .number(1)],
    ]
  }

  /// - Parameter arguments: besides those of the form.
  init?(_ dialect: Dialect, _ arguments: [String: Parameter] = [:]) {
    guard dialect.inputs.count >= 2 else { return nil }
    var random = SplitMix(seed: 1, L.name)
    let item = L().sample(L.strata[0], using: &random)
    let (first, second) = (dialect.inputs[0], dialect.inputs[1])
    for form in Self.forms {
      let parameters = form.merging(arguments) { $1 }
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
              wiring.isDefault = form["beta"] == nil
              wiring.isClipped = !wiring.passes(item, -0x1p20) || !wiring.passes(item, 0x1p20)
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
