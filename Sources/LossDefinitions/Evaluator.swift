/// What answers for a loss: the reference, or a kernel of either precision.
public protocol Evaluator: Sendable {
  /// Each item's value and gradients; the target's where the loss declares it.
  func evaluate<L: Loss>(_ loss: L, _ items: [Item]) throws -> [Gradient<Double>]

  /// An objective's terms at a scene, and the gradient of their sum; it decides by itself unless the
  /// decisions are given.
  func evaluate<O: Objective>(
    _ objective: O, _ scene: Scene<O.Truths>, deciding decisions: O.Decisions?
  ) throws -> ObjectiveResult<O>

  /// An assignment's matching of a problem.
  func solve<A: Assignment>(_ assignment: A, _ problem: A.Problem) throws -> A.Matching
}

extension Evaluator {
  public func evaluate<O: Objective>(
    _ objective: O, _ scene: Scene<O.Truths>
  ) throws -> ObjectiveResult<O> {
    try evaluate(objective, scene, deciding: nil)
  }
}

extension Loss {
  /// Refuses hyperparameters out of range, and targets that are no class index of their item's
  /// prediction.
  fileprivate func check(_ items: [Item]) throws {
    for parameter in Self.hyperparameters {
      let value = self[keyPath: parameter.path]
      guard parameter.range.contains(value) else {
        throw Refusal.rejected(
          "\(parameter.name) is \(value); expected a number in \(parameter.range)")
      }
    }
    guard Self.targetIsIndex else { return }
    for (i, item) in items.enumerated() {
      guard item.target.count == 1, let index = Int(exactly: item.target[0]),
        item.prediction.indices.contains(index)
      else {
        let given = item.target.map { "\($0)" }.joined(separator: ", ")
        throw Refusal.rejected(
          "the target of item \(i) is \(given); expected an index below \(item.prediction.count)")
      }
    }
  }
}

/// The references, in Double, with derivatives by dual numbers or by the tape.
public struct ReferenceEvaluator: Evaluator {
  public init() {}

  public func evaluate<L: Loss>(_ loss: L, _ items: [Item]) throws -> [Gradient<Double>] {
    try loss.check(items)
    return items.map { loss.gradient(at: $0) }
  }

  public func solve<A: Assignment>(_ assignment: A, _ problem: A.Problem) throws -> A.Matching {
    try assignment.check(problem)
    return assignment.reference(problem)
  }
}

/// The kernels, in `Element`: inputs are rounded to it first.
public struct KernelEvaluator<Element: LaneElement>: Evaluator {
  public init() {}

  public func evaluate<L: Loss>(_ loss: L, _ items: [Item]) throws -> [Gradient<Double>] {
    try loss.check(items)
    var results = evaluateBatches(loss, items)
    switch L.targetGradient {
    case .none: break
    case .negated:
      for i in results.indices { results[i].target = results[i].prediction.map { -$0 } }
    case .exchanged:
      let exchanged = items.map { Item($0.target, $0.prediction) }
      let others = evaluateBatches(loss.exchanged, exchanged)
      for i in results.indices { results[i].target = others[i].prediction }
    }
    return results
  }

  public func solve<A: Assignment>(_ assignment: A, _ problem: A.Problem) throws -> A.Matching {
    try assignment.check(problem)
    return assignment.optimized(problem)
  }

  /// Runs of items of one shape go through the kernel as one batch.
  private func evaluateBatches<L: Loss>(_ loss: L, _ items: [Item]) -> [Gradient<Double>] {
    var results: [Gradient<Double>] = []
    results.reserveCapacity(items.count)
    var first = 0
    while first < items.count {
      let width = items[first].prediction.count
      let targetWidth = items[first].target.count
      var last = first + 1
      while last < items.count, items[last].prediction.count == width,
        items[last].target.count == targetWidth
      { last += 1 }
      results += run(loss, items[first..<last], width, targetWidth)
      first = last
    }
    return results
  }

  private func run<L: Loss>(
    _ loss: L, _ items: ArraySlice<Item>, _ width: Int, _ targetWidth: Int
  ) -> [Gradient<Double>] {
    let prediction = items.flatMap { $0.prediction.map { Element($0) } }
    let target = L.targetIsIndex ? [] : items.flatMap { $0.target.map { Element($0) } }
    let indices = L.targetIsIndex ? items.map { Int($0.target[0]) } : []
    var values = [Element](repeating: 0, count: items.count)
    var gradient = [Element](repeating: 0, count: prediction.count)
    values.withUnsafeMutableBufferPointer { values in
      gradient.withUnsafeMutableBufferPointer { gradient in
        prediction.withUnsafeBufferPointer { prediction in
          target.withUnsafeBufferPointer { target in
            indices.withUnsafeBufferPointer { indices in
              guard let x = prediction.baseAddress else { return }
              _ = Element.kernel(
                loss,
                Batch(
                  count: items.count, width: width, targetWidth: targetWidth, prediction: x,
                  target: target.baseAddress, indices: indices.baseAddress,
                  values: values.baseAddress, gradient: gradient.baseAddress))
            }
          }
        }
      }
    }
    return items.indices.enumerated().map { i, _ in
      Gradient(
        Double(values[i]),
        prediction: gradient[i * width..<(i + 1) * width].map { Double($0) }, target: [])
    }
  }
}

// MARK: - Objectives

/// The terms of an objective at a scene, and the gradient of their sum in each head.
public struct ObjectiveResult<O: Objective>: Sendable {
  public var terms: [Double]
  public var gradients: [Tensor]
  public var decisions: O.Decisions
}

extension ReferenceEvaluator {
  public func evaluate<O: Objective>(
    _ objective: O, _ scene: Scene<O.Truths>, deciding decisions: O.Decisions?
  ) throws -> ObjectiveResult<O> {
    try objective.check(scene.heads, scene.truths)
    let decisions = decisions ?? objective.decide(scene.heads, scene.truths)
    let (terms, gradients) = objective.derivatives(scene.heads, scene.truths, decisions)
    return ObjectiveResult(terms: terms, gradients: gradients, decisions: decisions)
  }
}

extension KernelEvaluator {
  public func evaluate<O: Objective>(
    _ objective: O, _ scene: Scene<O.Truths>, deciding decisions: O.Decisions?
  ) throws -> ObjectiveResult<O> {
    let heads = scene.heads.map { $0.map { Double(Element($0)) } }
    try objective.check(heads, scene.truths)
    let decisions = decisions ?? objective.decide(heads, scene.truths)
    let values = heads.map { $0.map { Element($0) } }
    var gradients = values.map { $0.map { _ in Element.nan } }
    let terms = objective.optimized(values, scene.truths, decisions, gradients: &gradients)
    return ObjectiveResult(
      terms: terms, gradients: gradients.map { $0.map { Double($0) } }, decisions: decisions)
  }
}

extension Objective {
  /// The reference's terms, and the gradient of their sum by the tape.
  public func derivatives<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: Decisions
  ) -> (terms: [S], gradients: [Shaped<S>]) {
    var terms: [S] = []
    let (_, slopes) = Tape<S>.gradient(
      of: { inputs in
        let result = reference(Self.split(inputs, like: heads), truths, decisions)
        terms = result.map(\.value)
        return .sum(result)
      }, at: heads.flatMap(\.data))
    return (terms, Self.split(slopes, like: heads))
  }

  /// Flat numbers, cut to the shapes of the heads.
  public static func split<T, S>(_ flat: [T], like heads: [Shaped<S>]) -> [Shaped<T>] {
    var first = 0
    return heads.map { head in
      defer { first += head.data.count }
      return Shaped(head.shape, Array(flat[first..<first + head.data.count]))
    }
  }

  /// The optimized version over arrays.
  public func optimized<Element: LaneElement>(
    _ heads: [Shaped<Element>], _ truths: Truths, _ decisions: Decisions,
    gradients: inout [Shaped<Element>]
  ) -> [Double] {
    withBuffers(heads[...], &gradients, []) { optimized($0, truths, decisions) }
  }

  private func withBuffers<Element: LaneElement, R>(
    _ heads: ArraySlice<Shaped<Element>>, _ gradients: inout [Shaped<Element>],
    _ buffers: [HeadBuffer<Element>], _ body: ([HeadBuffer<Element>]) -> R
  ) -> R {
    guard let head = heads.first else { return body(buffers) }
    // An empty head has no address: one entry stands in for it.
    let values = head.data.isEmpty ? [0] : head.data
    var slopes = head.data.isEmpty ? [0] : gradients[heads.startIndex].data
    defer { if !head.data.isEmpty { gradients[heads.startIndex].data = slopes } }
    return values.withUnsafeBufferPointer { from in
      slopes.withUnsafeMutableBufferPointer { to in
        guard let from = from.baseAddress, let to = to.baseAddress else { return body(buffers) }
        let buffer = HeadBuffer(shape: head.shape, values: from, gradient: to)
        return withBuffers(heads.dropFirst(), &gradients, buffers + [buffer], body)
      }
    }
  }
}
