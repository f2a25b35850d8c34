/// A loss function, defined twice: a reference to be read and a kernel to be fast.
///
/// A loss is a value whose stored properties are its hyperparameters, and a function of one item: a
/// prediction at a target, both flat. A batch is L = Σ wᵢ Lᵢ / N over its items; mean, sum and every
/// framework's normalizer are choices of the weights w and of N.
///
/// A family (`BoxLoss`, `ElementLoss`, `ClassLoss`, `RegionLoss`) fixes the layout of an item, owns the
/// kernel's loop, and generates items; a loss adds the two functions, its laws and its dialects.
public protocol Loss: Definition {
  static var laws: [Law<Self>] { get }
  static var hyperparameters: [Hyperparameter<Self>] { get }
  /// The settings that the judge tries: the default, then each hyperparameter's grid, then what a loss
  /// adds of its own.
  static var configurations: [Configuration<Self>] { get }

  /// What the kernel's value may differ from the truth by, in ulps of the result.
  static var valueBar: Double { get }
  /// What a component of the kernel's gradient may differ by, in ulps of the item's gradient scale.
  static var gradientBar: Double { get }

  /// How the gradient in the target follows from the one in the prediction.
  static var targetGradient: TargetGradient { get }
  /// Whether a target is a class index instead of numbers.
  static var targetIsIndex: Bool { get }
  /// The entries of a target whose prediction has `width`: as many, or one.
  static func targetWidth(for width: Int) -> Int
  /// The only width of a prediction that the hyperparameters allow: one weight a class fixes it.
  var requiredWidth: Int? { get }

  /// The kinds of items that the generator makes.
  static var strata: [String] { get }
  /// An item of a stratum, with inputs inside the loss's domain; a pure function of the random bits.
  func sample(_ stratum: String, using random: inout SplitMix) -> Item

  init()

  /// The loss of one item, as its source writes it.
  func reference<S: Scalar>(_ prediction: [S], _ target: [S]) -> S

  /// The sizes of the terms that each component of the gradient is a difference of, where the chapter
  /// subtracts any; the gradient scale is the largest of these and of the gradient's components.
  func gradientTerms<S: Scalar>(_ prediction: [S], _ target: [S]) -> [S]

  /// M(t, x) = L(x, t), of a loss whose target's gradient is `exchanged`: the loss itself, unless a
  /// setting is not symmetric.
  var exchanged: Self { get }

  /// This loss with its hyperparameters rounded to Float, as a Float kernel reads them.
  var roundedToFloat: Self { get }

  // The explicit instantiations: requirements, so that each loss gets specialized copies of its own.
  func value(at item: Item) -> Double
  func gradient(at item: Item) -> Gradient<Double>
  func enclosure(at item: Item, widened: Double) -> Interval<DoubleDouble>
  func enclosure(ofGradientAt item: Item, widened: Double) -> Gradient<Interval<DoubleDouble>>
  func enclosure(ofTermsAt item: Item) -> [Interval<DoubleDouble>]
  func enclosure(
    ofGradientAt item: Item, rounding: Rounding
  ) -> Gradient<Interval<Narrow>>
  func differences(at item: Item, coordinates: [Int]) -> [DifferenceQuotient]
  func kernel(_ batch: Batch<Float>) -> Double
  func kernel(_ batch: Batch<Double>) -> Double
}

/// A loss whose items are all of one width: a box's four corners, one element.
public protocol FixedWidthLoss: Loss {
  static var width: Int { get }
}

/// A loss whose items are as wide as a batch says: a row of classes, a region.
public protocol RowLoss: Loss {}

/// One item: a flat prediction and a flat target (a class index is the target's only entry).
public struct Item: Sendable, Equatable {
  public var prediction: [Double]
  public var target: [Double]

  public init(_ prediction: [Double], _ target: [Double]) {
    self.prediction = prediction
    self.target = target
  }

  /// Every number rounded to Float.
  public var roundedToFloat: Item {
    Item(prediction.map { Double(Float($0)) }, target.map { Double(Float($0)) })
  }
}

/// A value with its derivatives in the prediction and, where asked for, in the target.
public struct Gradient<Number: Sendable>: Sendable {
  public var value: Number
  public var prediction: [Number]
  public var target: [Number]

  public init(_ value: Number, prediction: [Number], target: [Number]) {
    self.value = value
    self.prediction = prediction
    self.target = target
  }
}

public enum TargetGradient: Sendable {
  /// The loss is not differentiated in its target.
  case none
  /// L(x, t) = L(t, x): the kernel with its arguments exchanged.
  case exchanged
  /// L is a function of x − t: the negative of the prediction's.
  case negated
}

/// The one list of a loss's tunable numbers: no other place names them.
public struct Hyperparameter<L: Sendable>: Sendable {
  public let name: String
  public let path: any WritableKeyPath<L, Double> & Sendable
  public let range: ClosedRange<Double>
  /// The values that the judge tries.
  public let grid: [Double]

  public init(
    _ name: String, _ path: any WritableKeyPath<L, Double> & Sendable,
    in range: ClosedRange<Double>,
    grid: [Double]
  ) {
    self.name = name
    self.path = path
    self.range = range
    self.grid = grid
  }
}

/// A loss under particular settings, with the words that name them ("gamma = 2").
public struct Configuration<L: Sendable>: Sendable {
  public let label: String
  public let loss: L

  public init(_ label: String, _ loss: L) {
    self.label = label
    self.loss = loss
  }
}

/// The instruction set that a kernel is compiled for: a type, so that each compilation has symbols of
/// its own.
public protocol InstructionSet: SendableMetatype {}

/// The processor's baseline.
public enum Baseline: InstructionSet {}

/// An element type that has lanes.
public protocol LaneElement: BinaryFloatingPoint, Sendable {
  associatedtype Vector: Lanes where Vector.Element == Self
  /// The loss's kernel in this precision.
  static func kernel<L: Loss>(_ loss: L, _ batch: Batch<Self>) -> Double
}

extension Float: LaneElement {
  public typealias Vector = FloatLanes
  public static func kernel<L: Loss>(_ loss: L, _ batch: Batch<Float>) -> Double {
    loss.kernel(batch)
  }
}

extension Double: LaneElement {
  public typealias Vector = DoubleLanes
  public static func kernel<L: Loss>(_ loss: L, _ batch: Batch<Double>) -> Double {
    loss.kernel(batch)
  }
}

extension Loss {
  public static var valueBar: Double { 8 }
  public static var gradientBar: Double { 8 }
  public static var targetIsIndex: Bool { false }
  public static func targetWidth(for width: Int) -> Int { targetIsIndex ? 1 : width }
  public var requiredWidth: Int? { nil }
  public static var hyperparameters: [Hyperparameter<Self>] { [] }
  public static var configurations: [Configuration<Self>] { gridConfigurations }

  /// The default, then each hyperparameter's grid with the others at their defaults.
  public static var gridConfigurations: [Configuration<Self>] {
    var all = [Configuration("default", Self())]
    for parameter in hyperparameters {
      for value in parameter.grid where value != Self()[keyPath: parameter.path] {
        var loss = Self()
        loss[keyPath: parameter.path] = value
        all.append(Configuration("\(parameter.name) = \(value)", loss))
      }
    }
    return all
  }

  public func gradientTerms<S: Scalar>(_ prediction: [S], _ target: [S]) -> [S] { [] }

  public var exchanged: Self { self }

  public var roundedToFloat: Self {
    var rounded = self
    for parameter in Self.hyperparameters {
      rounded[keyPath: parameter.path] = Double(Float(self[keyPath: parameter.path]))
    }
    return rounded
  }

  public func value(at item: Item) -> Double { reference(item.prediction, item.target) }

  public func gradient(at item: Item) -> Gradient<Double> {
    differentiate(item.prediction, item.target)
  }

  /// Bounds of the loss over all predictions whose numbers lie within `widened` difference steps of
  /// the item's: 0 is the item itself, 1 the reach of the difference stencil.
  public func enclosure(at item: Item, widened: Double) -> Interval<DoubleDouble> {
    let (x, t) = intervals(item, widened)
    return reference(x, t)
  }

  /// Bounds of the loss and its derivatives, likewise.
  public func enclosure(
    ofGradientAt item: Item, widened: Double
  ) -> Gradient<Interval<DoubleDouble>> {
    let (x, t) = intervals(item, widened)
    return differentiate(x, t)
  }

  public func enclosure(ofTermsAt item: Item) -> [Interval<DoubleDouble>] {
    let (x, t) = intervals(item, 0)
    return gradientTerms(x, t)
  }

  /// Bounds of what the reference's formula may come to, and the formula of its derivatives by the
  /// rules of differentiation, in a program that rounds so: in the prediction alone. Detached parts
  /// are held at their bounds.
  public func enclosure(
    ofGradientAt item: Item, rounding: Rounding
  ) -> Gradient<Interval<Narrow>> {
    Narrow.rounding(rounding) {
      let x = item.prediction.map { Interval<Narrow>.operand($0) }
      let t = item.target.map {
        Self.targetIsIndex ? Interval(Narrow(exactly: $0)) : Interval<Narrow>.operand($0)
      }
      return differentiate(x, t, inTarget: false)
    }
  }

  /// Central differences in the named coordinates of the prediction, detached parts held fixed.
  public func differences(at item: Item, coordinates: [Int]) -> [DifferenceQuotient] {
    let target = item.target.map { Nudge<DoubleDouble>($0) }
    return finiteDifferences(
      at: item.prediction.map { DoubleDouble($0) }, coordinates: coordinates
    ) { reference($0, target) }
  }

  @inline(__always)
  private func intervals(
    _ item: Item, _ widened: Double
  ) -> ([Interval<DoubleDouble>], [Interval<DoubleDouble>]) {
    func wide(_ v: Double) -> Interval<DoubleDouble> {
      let point = DoubleDouble(v)
      if widened == 0 { return Interval(point) }
      let reach = differenceStep(at: point) * DoubleDouble(widened)
      return Interval(lower: point - reach, upper: point + reach)
    }
    // The stencil moves the prediction alone.
    return (item.prediction.map(wide), item.target.map { Interval<DoubleDouble>($0) })
  }

  /// Value and gradient of the reference: forward for few inputs, by the tape for many.
  @inline(__always)
  private func differentiate<S: Scalar>(
    _ x: [S], _ t: [S], inTarget: Bool = Self.targetGradient != .none
  ) -> Gradient<S> {
    let differentiable = inTarget ? x + t : x
    let n = x.count
    if differentiable.count <= 8 {
      let inputs = Dual<S>.variables(differentiable)
      let targets = inTarget ? Array(inputs[n...]) : t.map { Dual<S>(constant: $0) }
      let result = reference(Array(inputs[..<n]), targets)
      let slopes = result.slopes.isEmpty ? differentiable.map { _ in 0 as S } : result.slopes
      return Gradient(result.value, prediction: Array(slopes[..<n]), target: Array(slopes[n...]))
    }
    let (value, slopes) = Tape<S>.gradient(
      of: { inputs in
        let targets = inTarget ? Array(inputs[n...]) : t.map { Tape<S>(constant: $0) }
        return reference(Array(inputs[..<n]), targets)
      }, at: differentiable)
    return Gradient(value, prediction: Array(slopes[..<n]), target: Array(slopes[n...]))
  }
}
