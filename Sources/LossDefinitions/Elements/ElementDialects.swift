extension ElementLoss {
  /// Items of one element each, from tensors of one shape.
  public static func items(_ prediction: Tensor, _ target: Tensor) -> [Item] {
    zip(prediction.data, target.data).map { Item([$0], [$1]) }
  }
}

extension Dialect {
  /// A function of two tensors of one shape, entry by entry, with an optional tensor of weights.
  ///
  /// - Parameters:
  ///   - weight: the name of the input that multiplies the entries.
  ///   - columns: an input along the last axis, and the hyperparameter that it sets.
  ///   - factor: what the function's entries are in units of the loss.
  ///   - offset: what its entries are above that.
  ///   - make: the definition with the call's hyperparameters.
  public static func elementwise<L: ElementLoss>(
    _ peer: String, _ function: String, _ prediction: String, _ target: String,
    weight: String? = nil,
    columns: (name: String, path: any WritableKeyPath<L, Double> & Sendable)? = nil,
    parameters: [String] = [], over averaging: Averaging = .entries, factor: Double = 1,
    offset: Double = 0, note: String = "", _ make: @escaping @Sendable (Call) throws -> L
  ) -> Dialect {
    let inputs = [prediction, target] + [weight, columns?.name].compactMap { $0 }
    return Dialect(peer, function, note, inputs: inputs, parameters: parameters) {
      call, evaluator in
      let loss = try make(call)
      let x = try call.tensor(prediction)
      let t = try call.tensor(target, like: x.shape)
      let items = L.items(x, t)
      var results: [Gradient<Double>]
      if let columns, call.inputs[columns.name] != nil {
        let values = try call.tensor(columns.name, like: [x.columns]).data
        results = try items.enumerated().map { i, item in
          var own = loss
          own[keyPath: columns.path] = values[i % x.columns]
          return try evaluator.evaluate(own, [item])[0]
        }
      } else {
        results = try evaluator.evaluate(loss, items)
      }
      let weights: [Double]
      if let weight, call.inputs[weight] != nil {
        weights = try call.tensor(weight, like: x.shape).data.map { factor * $0 }
      } else {
        weights = Array(repeating: factor, count: items.count)
      }
      let entries = zip(results, weights).map { $0.value * $1 + offset }
      let (value, slopes) = try call.reduce(Tensor(x.shape, entries), over: averaging)
      let factors = zip(slopes, weights).map(*)
      var gradients = [
        prediction: Tensor(x.shape, zip(results, factors).map { $0.prediction[0] * $1 })
      ]
      if L.targetGradient != .none {
        gradients[target] = Tensor(x.shape, zip(results, factors).map { $0.target[0] * $1 })
      }
      return Answer(value, gradients: gradients)
    }
  }
}
