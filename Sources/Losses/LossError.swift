/// An argument that a batch call cannot work with.
///
///     predictions: 7 numbers, expected a multiple of 4
///     targets[3]: x1 = 5.0, x2 = 3.0, expected x1 ≤ x2
public struct LossError: Error, Sendable, Equatable, CustomStringConvertible {
  public enum Kind: Sendable, Equatable {
    /// A buffer's size, or an item's width, is wrong.
    case shape
    /// The loss takes the other kind of target: class indices, or numbers.
    case targetKind
    /// A class index is not one of the classes.
    case classIndex
    /// A box's second corner lies before its first.
    case invertedBox
    /// A number that must not be negative, or must be positive, is not: a rotated box's side, a
    /// keypoint's σ or area.
    case outOfDomain
    /// A weight is negative or not finite.
    case weight
    /// The normalizer is not a positive number, or a mean is over no items.
    case normalizer
  }

  public let kind: Kind
  /// The argument's name: "predictions".
  public let argument: String
  /// The item that is at fault, where it is one.
  public let index: Int?
  public let given: String
  public let expected: String

  public var description: String {
    let place = index.map { "[\($0)]" } ?? ""
    return "\(argument)\(place): \(given), expected \(expected)"
  }
}
