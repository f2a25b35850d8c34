/// A detector's training objective: what its raw head outputs cost against the truths of a batch, as
/// named terms and their sum, the total.
///
/// An objective is a value whose stored properties are its hyperparameters: gains, thresholds, and the
/// rules in which frameworks and their releases differ. It is defined in three steps:
///
/// 1. `decide`: everything discrete (matches, masks, cells, samples), once, from plain numbers;
/// 2. `reference`: the terms, naive, over any `Scalar`, at those decisions; what a framework computes
///    from the predictions without gradient (target scores, normalizers) is recomputed here, `detached`;
/// 3. `optimized`: the terms and the gradient of the total in every head, by the families' kernels, at
///    the same decisions.
public protocol Objective: Definition {
  /// What the heads are held against: boxes, classes, masks, plain fixed numbers.
  associatedtype Truths: Sendable
  associatedtype Decisions: Sendable, Equatable

  static var laws: [ObjectiveLaw<Self>] { get }
  /// The settings that the judge tries: the default, then each framework's or release's rules.
  static var configurations: [Configuration<Self>] { get }
  /// What the optimized version may differ from the truth by: a term in ulps of itself, a component of
  /// the gradient in ulps of the largest of its head.
  static var valueBar: Double { get }
  static var gradientBar: Double { get }

  /// The kinds of scenes that the generator makes.
  static var strata: [String] { get }
  /// A scene of a stratum, inside the objective's domain; a pure function of the random bits.
  func sample(_ stratum: String, using random: inout SplitMix) -> Scene<Truths>
  /// Scenes worked out in the chapter, by name.
  static var worked: [WorkedScene<Self>] { get }

  init()

  /// The names of the heads, in order.
  var heads: [String] { get }
  /// The names of the terms, in order.
  var terms: [String] { get }

  /// Refuses what the objective is not defined on: shapes that do not fit, a class index out of range,
  /// a truth that is no box, a head that is not finite.
  func check(_ heads: [Tensor], _ truths: Truths) throws(InvalidInput)

  /// Everything discrete. Equal keys are taken in the order of their indices.
  func decide(_ heads: [Tensor], _ truths: Truths) -> Decisions

  /// The terms, weighted and normalized: their plain sum is the total.
  func reference<S: Scalar>(
    _ heads: [Shaped<S>], _ truths: Truths, _ decisions: Decisions
  ) -> [S]

  /// The terms, and the gradient of their sum written to every entry of every head's `gradient`.
  func optimized<Element: LaneElement>(
    _ heads: [HeadBuffer<Element>], _ truths: Truths, _ decisions: Decisions
  ) -> [Double]

  /// This objective with its hyperparameters rounded to Float, as its Float version reads them.
  var roundedToFloat: Self { get }
}

extension Objective {
  public static var family: Family { .detectors }
  public static var configurations: [Configuration<Self>] { [Configuration("default", Self())] }
  public static var valueBar: Double { 16 }
  public static var gradientBar: Double { 16 }
  public static var worked: [WorkedScene<Self>] { [] }
  public var roundedToFloat: Self { self }
}

/// A batch as a detector sees it: raw head outputs, and what they are held against.
public struct Scene<Truths: Sendable>: Sendable {
  public var heads: [Tensor]
  public var truths: Truths

  public init(_ heads: [Tensor], _ truths: Truths) {
    self.heads = heads
    self.truths = truths
  }
}

/// A scene with a name, and the objective whose example it is.
public struct WorkedScene<O: Objective>: Sendable {
  public let name: String
  public let objective: O
  public let scene: Scene<O.Truths>

  public init(_ name: String, _ objective: O, _ scene: Scene<O.Truths>) {
    self.name = name
    self.objective = objective
    self.scene = scene
  }
}

/// One head's numbers, and where its gradient goes: as many, in the same order.
public struct HeadBuffer<Element: LaneElement> {
  public let shape: [Int]
  public let values: UnsafePointer<Element>
  public let gradient: UnsafeMutablePointer<Element>

  public init(
    shape: [Int], values: UnsafePointer<Element>, gradient: UnsafeMutablePointer<Element>
  ) {
    self.shape = shape
    self.values = values
    self.gradient = gradient
  }

  public var count: Int { shape.reduce(1, *) }

  /// Writes zeros to the whole gradient.
  public func clearGradient() { gradient.update(repeating: 0, count: count) }
}

/// The truths of one image: boxes by corners in pixels, each with its class.
public struct ImageTruths: Sendable, Equatable {
  public var boxes: [Box<Double>]
  public var labels: [Int]

  public init(_ boxes: [Box<Double>] = [], labels: [Int] = []) {
    self.boxes = boxes
    self.labels = labels
  }
}

/// An argument that an objective or an assignment is not defined on, and where.
///
///     boxes, image 2, index 5: x1 = 9.0, x2 = 3.0; expected x1 ≤ x2
public struct InvalidInput: Error, Sendable, Equatable, CustomStringConvertible {
  /// The argument's name: a head's, "boxes", "labels".
  public let argument: String
  public let image: Int?
  public let level: Int?
  public let index: Int?
  public let given: String
  public let expected: String

  public init(
    _ argument: String, image: Int? = nil, level: Int? = nil, index: Int? = nil, given: String,
    expected: String
  ) {
    self.argument = argument
    self.image = image
    self.level = level
    self.index = index
    self.given = given
    self.expected = expected
  }

  public var description: String {
    let places = [("image", image), ("level", level), ("index", index)]
    let place = places.compactMap { name, at in at.map { ", \(name) \($0)" } }.joined()
    return "\(argument)\(place): \(given); expected \(expected)"
  }
}

// MARK: - Checks that most objectives share

extension Shaped where Number == Double {
  /// Refuses another shape; an extent of nil may be anything.
  public func check(_ name: String, shape expected: [Int?]) throws(InvalidInput) {
    let fits =
      shape.count == expected.count
      && zip(shape, expected).allSatisfy { given, want in want.map { $0 == given } ?? true }
    guard fits, data.count == shape.reduce(1, *) else {
      let words = expected.map { $0.map { "\($0)" } ?? "any" }.joined(separator: ", ")
      throw InvalidInput(
        name, given: "shape \(shape) with \(data.count) numbers", expected: "shape [\(words)]")
    }
  }

  /// Refuses NaN and infinity; the first axis counts images.
  public func checkFinite(_ name: String, level: Int? = nil) throws(InvalidInput) {
    guard let at = data.firstIndex(where: { !$0.isFinite }) else { return }
    let each = Swift.max(1, data.count / Swift.max(1, shape.first ?? 1))
    throw InvalidInput(
      name, image: at / each, level: level, index: at % each, given: "\(data[at])",
      expected: "a finite number")
  }
}

extension ImageTruths {
  /// Refuses inverted boxes, coordinates that are not finite, and labels outside 0 ..< classes.
  public func check(image: Int, classes: Int) throws(InvalidInput) {
    guard boxes.count == labels.count else {
      throw InvalidInput(
        "labels", image: image, given: "\(labels.count) labels",
        expected: "as many as boxes, \(boxes.count)")
    }
    for (i, box) in boxes.enumerated() {
      for (low, high, axis) in [(box.x1, box.x2, "x"), (box.y1, box.y2, "y")]
      where !(low <= high && low.isFinite && high.isFinite) {
        throw InvalidInput(
          "boxes", image: image, index: i, given: "\(axis)1 = \(low), \(axis)2 = \(high)",
          expected: "finite numbers, \(axis)1 ≤ \(axis)2")
      }
    }
    for (i, label) in labels.enumerated() where !(0..<classes).contains(label) {
      throw InvalidInput(
        "labels", image: image, index: i, given: "class \(label)", expected: "0 ..< \(classes)")
    }
  }
}

// MARK: - Laws

/// A property that an objective declares, and the check of it at a scene.
public struct ObjectiveLaw<O: Objective>: Sendable {
  /// As the chapters print it.
  public let statement: String
  public let check: @Sendable (O, Scene<O.Truths>, any ObjectiveAnswers) throws -> Verdict

  public init(
    _ statement: String,
    check: @escaping @Sendable (O, Scene<O.Truths>, any ObjectiveAnswers) throws -> Verdict
  ) {
    self.statement = statement
    self.check = check
  }
}

/// Where a law gets its numbers from: the reference over certified bounds, or the optimized version.
public protocol ObjectiveAnswers {
  /// Bounds of each term: certified, or an answer with its bar on either side.
  func terms<O: Objective>(
    _ objective: O, _ scene: Scene<O.Truths>
  ) throws -> [Interval<DoubleDouble>]
  /// The gradient of the total in each head.
  func gradients<O: Objective>(_ objective: O, _ scene: Scene<O.Truths>) throws -> [Tensor]
}

extension ObjectiveAnswers {
  /// Bounds of the sum of the terms.
  public func total<O: Objective>(
    _ objective: O, _ scene: Scene<O.Truths>
  ) throws -> Interval<DoubleDouble> {
    .sum(try terms(objective, scene))
  }
}

extension ObjectiveLaw {
  public static var nonNegative: Self {
    Self("every term ≥ 0") { objective, scene, answers in
      for (name, term) in zip(objective.terms, try answers.terms(objective, scene)) {
        if case .refuted(let why) = Verdict.atLeast(term, 0) { return .refuted("\(name): \(why)") }
      }
      return .holds
    }
  }

  /// The terms are unchanged when the scene is transformed; nil where the law does not speak.
  public static func invariant(
    under name: String, _ transform: @escaping @Sendable (O, Scene<O.Truths>) -> Scene<O.Truths>?
  ) -> Self {
    Self("unchanged under \(name)") { objective, scene, answers in
      guard let moved = transform(objective, scene) else { return .holds }
      let here = try answers.terms(objective, scene)
      let there = try answers.terms(objective, moved)
      for (name, (a, b)) in zip(objective.terms, zip(here, there)) {
        switch Verdict.equal(a, b) {
        case .holds: continue
        case .refuted(let why): return .refuted("\(name): \(why)")
        case .undecided: return .undecided
        }
      }
      return .holds
    }
  }
}
