// Items and formats, which an implementation is made of, come with it.
@_exported import LossDefinitions

/// Whatever can be asked for values and gradients: a program behind pipes, or code in this process.
///
/// To judge a function of another package in a test of its own, `Conformance.verify` is enough. What
/// answers whole batches, or several losses, conforms to this and is handed to `Conformance.run`. Calls
/// come one at a time.
public protocol Implementation {
  /// Says what it offers; called once, first.
  ///
  /// - Throws: `ImplementationFailure` where nothing can be asked of it.
  mutating func greet() throws -> Greeting

  /// Turns to a loss; what is evaluated from now on is that.
  ///
  /// - Returns: nil, or why it does not offer this.
  mutating func select(_ selection: Selection) throws -> String?

  /// Answers each of the items, in order, in the selected format.
  ///
  /// - Throws: `ImplementationFailure` where nothing can be asked of it any more; what concerns one
  ///   item is that item's answer.
  mutating func evaluate(_ items: [Item], gradient: Bool) throws -> [CaseAnswer]

  /// Whether its answers were recorded: it knows none to other questions, so that nothing that fails
  /// can be made simpler. False by default.
  var isRecorded: Bool { get }
}

extension Implementation {
  public var isRecorded: Bool { false }
}

/// What an implementation says of itself.
public struct Greeting: Sendable, Equatable {
  public var name: String
  public var version: String
  public var language: String
  /// Names of losses; empty says that it must be asked.
  public var losses: [String]
  public var gradient: Bool
  /// Items that a batch holds at most.
  public var maxBatch: Int
  /// Whether it promises the same bits whenever it is asked the same.
  public var deterministic: Bool

  public init(
    name: String, version: String = "", language: String = "", losses: [String] = [],
    gradient: Bool = true, maxBatch: Int = 256, deterministic: Bool = true
  ) {
    self.name = name
    self.version = version
    self.language = language
    self.losses = losses
    self.gradient = gradient
    self.maxBatch = maxBatch
    self.deterministic = deterministic
  }
}

/// Which function is asked for.
public struct Selection: Sendable, Equatable {
  public var loss: String
  /// "native" as the chapter defines it, or a framework's function: "torchvision/box_iou".
  public var dialect: String
  /// The hyperparameters, rounded to the format.
  public var parameters: [String: Double]
  public var format: Format

  public init(loss: String, dialect: String, parameters: [String: Double], format: Format) {
    self.loss = loss
    self.dialect = dialect
    self.parameters = parameters
    self.format = format
  }

  /// No loss: the sum of the prediction and the target, one number an item. It shows what becomes of
  /// bits on the way, and what the arithmetic does.
  public static func sum(_ format: Format) -> Selection {
    Selection(loss: "sum", dialect: "native", parameters: [:], format: format)
  }
}

/// An answer to one item.
public enum CaseAnswer: Sendable, Equatable {
  case numbers(value: Double, gradient: [Double]?)
  /// The implementation says that the item is outside its domain.
  case rejected(String)
  /// It crashed, hung or reported an error, on this item alone.
  case failed(String)

  var withoutGradient: CaseAnswer {
    if case .numbers(let value, _) = self { .numbers(value: value, gradient: nil) } else { self }
  }
}

/// A program that cannot be asked any more, or that breaks the protocol.
public struct ImplementationFailure: Error, CustomStringConvertible, Sendable {
  public let description: String
  /// What had been found until then.
  public internal(set) var reports: [ConformanceReport] = []
  public init(_ description: String) { self.description = description }
}
