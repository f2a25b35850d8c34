import LossDefinitions

extension Conformance {
  /// Holds a function of this process against a loss, as a test of another package does.
  ///
  ///     @Test func giouIsRight() throws {
  ///       let report = try Conformance.verify("giou") { (prediction: [Float], target: [Float]) in
  ///         (value: giou(prediction, target), gradient: giouGradient(prediction, target))
  ///       }
  ///       #expect(report.verdict == .conforms, "\(report)")
  ///     }
  ///
  /// The numbers' type says in which precision the function is judged. An error that it throws is a
  /// rejection of the item.
  ///
  /// - Parameters:
  ///   - loss: as `lossref list` names it.
  ///   - dialect: "native", a framework, or a framework's function.
  ///   - cases: items, of all strata together.
  ///   - function: the loss of one item, and its gradient in the prediction. A target that is a class
  ///     index is one number.
  public static func verify<Number: BinaryFloatingPoint>(
    _ loss: String, dialect: String = "native", cases: Int = 2000,
    _ function: @escaping ([Number], [Number]) throws -> (value: Number, gradient: [Number])
  ) throws -> ConformanceReport {
    try verify(loss, dialect, cases, hasGradient: true) { prediction, target in
      let (value, gradient) = try function(prediction, target)
      return (value, gradient)
    }
  }

  /// The same of a function that has no gradient.
  public static func verify<Number: BinaryFloatingPoint>(
    _ loss: String, dialect: String = "native", cases: Int = 2000,
    _ function: @escaping ([Number], [Number]) throws -> Number
  ) throws -> ConformanceReport {
    try verify(loss, dialect, cases, hasGradient: false) { prediction, target in
      (try function(prediction, target), nil)
    }
  }

  private static func verify<Number: BinaryFloatingPoint>(
    _ loss: String, _ dialect: String, _ cases: Int, hasGradient: Bool,
    _ function: @escaping ([Number], [Number]) throws -> (Number, [Number]?)
  ) throws -> ConformanceReport {
    var conformance = Conformance()
    conformance.losses = [loss]
    conformance.dialect = dialect
    conformance.cases = cases
    guard let format = Format.allCases.first(where: { $0.isOf(Number.self) }) else {
      throw Unaskable(description: "no format has the bits of \(Number.self)")
    }
    conformance.format = format
    var implementation = FunctionImplementation(hasGradient: hasGradient, function: function)
    return try conformance.run(&implementation)[0]
  }
}

extension Format {
  fileprivate func isOf<Number: BinaryFloatingPoint>(_: Number.Type) -> Bool {
    precision == Number.significandBitCount + 1
      && width == Number.exponentBitCount + Number.significandBitCount + 1
  }
}

/// A function of one item.
private struct FunctionImplementation<Number: BinaryFloatingPoint>: Implementation {
  let hasGradient: Bool
  let function: ([Number], [Number]) throws -> (Number, [Number]?)
  private var isSum = false

  init(
    hasGradient: Bool, function: @escaping ([Number], [Number]) throws -> (Number, [Number]?)
  ) {
    self.hasGradient = hasGradient
    self.function = function
  }

  func greet() -> Greeting {
    Greeting(name: "a function", language: "Swift", gradient: hasGradient)
  }

  mutating func select(_ selection: Selection) -> String? {
    isSum = selection == .sum(selection.format)
    return nil
  }

  func evaluate(_ items: [Item], gradient: Bool) -> [CaseAnswer] {
    items.map { item in
      let (prediction, target) = (
        item.prediction.map { Number($0) }, item.target.map { Number($0) }
      )
      if isSum { return .numbers(value: Double(prediction[0] + target[0]), gradient: nil) }
      do {
        let (value, slopes) = try function(prediction, target)
        return .numbers(value: Double(value), gradient: slopes?.map { Double($0) })
      } catch {
        return .rejected("\(error)")
      }
    }
  }
}

/// An implementation whose answers are as many, and as wide, as was asked.
struct CheckedImplementation<Inner: Implementation>: Implementation {
  var inner: Inner

  var isRecorded: Bool { inner.isRecorded }
  mutating func greet() throws -> Greeting { try inner.greet() }
  mutating func select(_ selection: Selection) throws -> String? { try inner.select(selection) }

  mutating func evaluate(_ items: [Item], gradient: Bool) throws -> [CaseAnswer] {
    let answers = try inner.evaluate(items, gradient: gradient)
    guard answers.count == items.count else {
      throw ImplementationFailure("\(answers.count) answers came to \(items.count) items")
    }
    guard gradient else { return answers }
    return zip(items, answers).map { item, answer in
      guard case .numbers(_, let slopes) = answer, slopes?.count != item.prediction.count else {
        return answer
      }
      let given = slopes.map { "\($0.count) numbers" } ?? "nothing"
      return .failed("the gradient has \(given); \(item.prediction.count) numbers were due")
    }
  }
}
