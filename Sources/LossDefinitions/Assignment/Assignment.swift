/// A matching of predictions to truths: discrete, deterministic, without gradient.
///
/// Among equal keys the lower index is taken first, in every top-k, arg max and arg min. An assignment
/// is defined twice like a loss; the two must agree exactly.
public protocol Assignment: Definition {
  /// What is matched: boxes, scores, points, as plain numbers.
  associatedtype Problem: Sendable
  /// The result, with every intermediate that a reader may want to look at.
  associatedtype Matching: Sendable, Equatable

  static var laws: [AssignmentLaw<Self>] { get }
  static var configurations: [Configuration<Self>] { get }
  static var strata: [String] { get }
  func sample(_ stratum: String, using random: inout SplitMix) -> Problem

  init()

  /// Refuses what the assignment is not defined on.
  func check(_ problem: Problem) throws(InvalidInput)
  /// Naive: whole matrices, one step after the other.
  func reference(_ problem: Problem) -> Matching
  /// Fast: the same result.
  func optimized(_ problem: Problem) -> Matching
}

extension Assignment {
  public static var family: Family { .assignment }
  public static var configurations: [Configuration<Self>] { [Configuration("default", Self())] }
}

/// A property that an assignment declares, and the check of it on a solver.
public struct AssignmentLaw<A: Assignment>: Sendable {
  public let statement: String
  /// The verdict on a problem, given either version of the assignment to solve it and its relatives.
  public let check: @Sendable (A, A.Problem, (A, A.Problem) -> A.Matching) -> Verdict

  public init(
    _ statement: String,
    check: @escaping @Sendable (A, A.Problem, (A, A.Problem) -> A.Matching) -> Verdict
  ) {
    self.statement = statement
    self.check = check
  }
}
