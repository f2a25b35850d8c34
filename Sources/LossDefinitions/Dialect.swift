/// How one framework writes a loss, under the framework's own names.
///
/// A dialect turns a call of the framework's function into items of a definition, and the items'
/// values into what the function returns: its epsilons, clamps, shapes and normalizers. It is the same
/// for any evaluator: the reference, or a kernel of either precision.
public struct Dialect: Sendable {
  /// The framework and its function: "torchvision", "complete_box_iou_loss".
  public let peer: String
  public let function: String
  /// What sets this dialect apart, in a sentence for the chapter.
  public let note: String
  /// The arguments that it knows; a call with any other is unsupported.
  public let inputs: [String]
  public let parameters: [String]
  private let body: @Sendable (Call, any Evaluator) throws -> Answer

  public init(
    _ peer: String, _ function: String, _ note: String, inputs: [String],
    parameters: [String] = [],
    answer: @escaping @Sendable (Call, any Evaluator) throws -> Answer
  ) {
    self.peer = peer
    self.function = function
    self.note = note
    self.inputs = inputs
    self.parameters = parameters
    body = answer
  }

  public func answer(_ call: Call, with evaluator: any Evaluator) throws -> Answer {
    for name in call.inputs.keys.sorted() where !inputs.contains(name) {
      throw Refusal.unsupported("input \"\(name)\"; known: \(inputs.joined(separator: ", "))")
    }
    for name in call.parameters.keys.sorted() where !parameters.contains(name) {
      let known = parameters.isEmpty ? "none" : parameters.joined(separator: ", ")
      throw Refusal.unsupported("parameter \"\(name)\"; known: \(known)")
    }
    return try body(call, evaluator)
  }
}

/// An argument that is not a tensor.
public indirect enum Parameter: Sendable, Equatable {
  case null
  case flag(Bool)
  case number(Double)
  case text(String)
  case list([Parameter])
  case group([String: Parameter])
}

/// A call of a framework's function.
public struct Call: Sendable {
  public var parameters: [String: Parameter]
  public var inputs: [String: Tensor]
  public var reduction: String

  public init(parameters: [String: Parameter], inputs: [String: Tensor], reduction: String) {
    self.parameters = parameters
    self.inputs = inputs
    self.reduction = reduction
  }

  public func tensor(_ name: String) throws -> Tensor {
    guard let tensor = inputs[name] else { throw Refusal.rejected("input \"\(name)\" is missing") }
    return tensor
  }

  /// The input, which must have the shape given.
  public func tensor(_ name: String, like shape: [Int]) throws -> Tensor {
    let tensor = try tensor(name)
    guard tensor.shape == shape else {
      throw Refusal.rejected("\"\(name)\" has shape \(tensor.shape); expected \(shape)")
    }
    return tensor
  }

  public func number(_ name: String, default standard: Double? = nil) throws -> Double {
    switch parameters[name] {
    case .number(let value): return value
    case nil:
      if let standard { return standard }
      throw Refusal.rejected("parameter \"\(name)\" is missing")
    default: throw Refusal.rejected("parameter \"\(name)\" must be a number")
    }
  }

  public func integer(_ name: String, default standard: Int) throws -> Int {
    guard let integer = Int(exactly: try number(name, default: Double(standard))) else {
      throw Refusal.rejected("parameter \"\(name)\" must be a whole number")
    }
    return integer
  }

  /// The number, or nil for null and for a parameter that is not there.
  public func optionalNumber(_ name: String) throws -> Double? {
    switch parameters[name] {
    case nil, .null: nil
    default: try number(name)
    }
  }

  public func flag(_ name: String, default standard: Bool) throws -> Bool {
    switch parameters[name] {
    case .flag(let value): return value
    case nil: return standard
    default: throw Refusal.rejected("parameter \"\(name)\" must be true or false")
    }
  }

  public func text(_ name: String, default standard: String) throws -> String {
    switch parameters[name] {
    case .text(let value): return value
    case nil: return standard
    default: throw Refusal.rejected("parameter \"\(name)\" must be a string")
    }
  }

  /// The numbers of a group by name; none for a parameter that is not there.
  public func group(_ name: String) throws -> [String: Double] {
    guard let parameter = parameters[name] else { return [:] }
    guard case .group(let members) = parameter else {
      throw Refusal.rejected("parameter \"\(name)\" must be an object")
    }
    return try members.mapValues { member in
      guard case .number(let number) = member else {
        throw Refusal.rejected("parameter \"\(name)\" must hold numbers")
      }
      return number
    }
  }

  /// A constant of the peer's that this dialect has built in: any other value is unsupported.
  public func expect(_ name: String, _ value: Parameter) throws {
    if let given = parameters[name], given != value {
      throw Refusal.unsupported("parameter \"\(name)\" other than \(value)")
    }
  }
}

/// What a framework's function returns, and the derivatives of the sum of its value.
public struct Answer: Sendable {
  /// Nil for a function that only prepares: its results are `outputs`.
  public var value: Tensor?
  public var gradients: [String: Tensor]
  public var outputs: [String: Tensor]

  public init(_ value: Tensor, gradients: [String: Tensor], outputs: [String: Tensor] = [:]) {
    self.value = value
    self.gradients = gradients
    self.outputs = outputs
  }

  public init(outputs: [String: Tensor]) {
    value = nil
    gradients = [:]
    self.outputs = outputs
  }
}

public enum Refusal: Error, Sendable, Equatable {
  /// A function or argument that no dialect knows.
  case unsupported(String)
  /// Inputs outside the function's domain.
  case rejected(String)
}

// MARK: - Reductions

/// What a framework averages over before its `reduction` applies.
public enum Averaging: Sendable {
  /// Nothing: `reduction` works on the entries.
  case entries
  /// The mean over the last axis, then `reduction` (Keras).
  case lastAxis
  /// The mean over axis 1, then the sum over all others (Ultralytics, DETR).
  case axisOneThenSum
}

extension Call {
  /// The reduced value of unreduced entries, and the derivative of its sum in each entry.
  ///
  /// - Parameter divisor: what `mean` divides by; nil is the number of entries.
  public func reduce(
    _ entries: Tensor, over averaging: Averaging = .entries, divisor: Double? = nil,
    emptyMean: Double = .nan
  ) throws -> (value: Tensor, slopes: [Double]) {
    let count = entries.data.count
    switch averaging {
    case .entries:
      switch reduction {
      case "none": return (entries, Array(repeating: 1, count: count))
      case "sum":
        return (Tensor([], [sum(entries.data)]), Array(repeating: 1, count: count))
      case "mean":
        let n = divisor ?? Double(count)
        let value = count == 0 && divisor == nil ? emptyMean : sum(entries.data) / n
        return (Tensor([], [value]), Array(repeating: 1 / n, count: count))
      default: throw Refusal.unsupported("reduction \"\(reduction)\"")
      }
    case .lastAxis:
      let columns = entries.columns
      let rows = columns == 0 ? 0 : count / columns
      let means = (0..<rows).map { row in
        sum(Array(entries.data[row * columns..<(row + 1) * columns])) / Double(columns)
      }
      let (value, slopes) = try reduce(
        Tensor(Array(entries.shape.dropLast()), means), divisor: divisor, emptyMean: emptyMean)
      return (value, (0..<count).map { slopes[$0 / columns] / Double(columns) })
    case .axisOneThenSum:
      guard entries.shape.count >= 2 else {
        throw Refusal.rejected("shape \(entries.shape) has no axis 1")
      }
      let n = Double(entries.shape[1])
      return (
        Tensor([], [sum(entries.data) / n]), Array(repeating: 1 / n, count: count)
      )
    }
  }

  private func sum(_ values: [Double]) -> Double {
    guard values.count > 8 else { return values.reduce(0, +) }
    let half = values.count / 2
    return sum(Array(values[..<half])) + sum(Array(values[half...]))
  }
}
