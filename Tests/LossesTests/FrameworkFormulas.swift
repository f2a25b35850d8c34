import Foundation
import LossDefinitions
import LossVerification

/// A Float with its slopes in the four corners of a prediction: what a framework's automatic
/// differentiation makes of a plain formula.
struct Slope: ExpressibleByFloatLiteral {
  var value: Float
  var slopes = SIMD4<Float>(repeating: 0)

  init(_ value: Float, _ slopes: SIMD4<Float> = SIMD4(repeating: 0)) {
    self.value = value
    self.slopes = slopes
  }

  init(floatLiteral value: Float) { self.init(value) }

  var detached: Slope { Slope(value) }

  static func + (a: Slope, b: Slope) -> Slope { Slope(a.value + b.value, a.slopes + b.slopes) }
  static func - (a: Slope, b: Slope) -> Slope { Slope(a.value - b.value, a.slopes - b.slopes) }
  static func * (a: Slope, b: Slope) -> Slope {
    Slope(a.value * b.value, a.slopes * b.value + b.slopes * a.value)
  }
  static func / (a: Slope, b: Slope) -> Slope {
    let value = a.value / b.value
    return Slope(value, a.slopes / b.value - b.slopes * (value / b.value))
  }
  static func min(_ a: Slope, _ b: Slope) -> Slope { a.value <= b.value ? a : b }
  static func max(_ a: Slope, _ b: Slope) -> Slope { a.value >= b.value ? a : b }
  static func atan(_ a: Slope) -> Slope {
    Slope(
      Float(Foundation.atan(Double(a.value))), a.slopes / (1 + a.value * a.value))
  }
}

/// Losses of boxes as frameworks write them, in Float.
enum FrameworkFormulas {
  typealias Corners = (x1: Slope, y1: Slope, x2: Slope, y2: Slope)
  typealias Formula = @Sendable (_ p: Corners, _ t: Corners) -> Slope

  private struct Parts {
    let w, h, W, H, overlap, cw, ch: Slope

    init(_ p: Corners, _ t: Corners, height: Slope = 0.0) {
      (w, h) = (p.x2 - p.x1, p.y2 - p.y1 + height)
      (W, H) = (t.x2 - t.x1, t.y2 - t.y1 + height)
      let iw = Slope.min(p.x2, t.x2) - Slope.max(p.x1, t.x1)
      let ih = Slope.min(p.y2, t.y2) - Slope.max(p.y1, t.y1)
      overlap = Slope.max(iw, 0.0) * Slope.max(ih, 0.0)
      (cw, ch) = (
        Slope.max(p.x2, t.x2) - Slope.min(p.x1, t.x1),
        Slope.max(p.y2, t.y2) - Slope.min(p.y1, t.y1)
      )
    }

    var union: Slope { w * h + W * H - overlap }
    var diagonal: Slope { cw * cw + ch * ch }

    func aspect(_ height: Slope = 0.0) -> Slope {
      let turn = Slope.atan(W / (H + height)) - Slope.atan(w / (h + height))
      return Slope(4 / (Float.pi * Float.pi)) * turn * turn
    }
  }

  private static func distance(_ p: Corners, _ t: Corners) -> Slope {
    let dx = t.x1 + t.x2 - p.x1 - p.x2
    let dy = t.y1 + t.y2 - p.y1 - p.y2
    return (dx * dx + dy * dy) / 4.0
  }

  static func torchvisionGIoU(_ eps: Slope) -> Formula {
    { p, t in
      let parts = Parts(p, t)
      let area = parts.cw * parts.ch
      return 1.0 - (parts.overlap / (parts.union + eps) - (area - parts.union) / (area + eps))
    }
  }

  static func torchvisionCIoU(_ eps: Slope) -> Formula {
    { p, t in
      let parts = Parts(p, t)
      let iou = parts.overlap / (parts.union + 1e-7)
      let dx = (p.x1 + p.x2) / 2.0 - (t.x1 + t.x2) / 2.0
      let dy = (p.y1 + p.y2) / 2.0 - (t.y1 + t.y2) / 2.0
      let v = parts.aspect()
      let alpha = (v / (1.0 - iou + v + eps)).detached
      return 1.0 - iou + (dx * dx + dy * dy) / (parts.diagonal + 1e-7) + alpha * v
    }
  }

  static let ultralyticsGIoU: Formula = { p, t in
    let parts = Parts(p, t, height: 1e-7)
    let union = parts.union + 1e-7
    let area = parts.cw * parts.ch + 1e-7
    return 1.0 - (parts.overlap / union - (area - union) / area)
  }

  static let ultralyticsCIoU: Formula = { p, t in
    let parts = Parts(p, t, height: 1e-7)
    let iou = parts.overlap / (parts.union + 1e-7)
    let v = parts.aspect()
    let alpha = (v / (v - iou + (1.0 + 1e-7))).detached
    return 1.0 - (iou - (distance(p, t) / (parts.diagonal + 1e-7) + v * alpha))
  }

  static let mmdetGIoU: Formula = { p, t in
    let parts = Parts(p, t)
    let union = Slope.max(parts.union, 1e-7)
    let area = Slope.max(parts.cw * parts.ch, 1e-7)
    return 1.0 - (parts.overlap / union - (area - union) / area)
  }

  static let mmdetCIoU: Formula = { p, t in
    let parts = Parts(p, t)
    let iou = parts.overlap / (parts.union + 1e-7)
    let v = parts.aspect(1e-7)
    let gate: Slope = iou.value > 0.5 ? 1.0 : 0.0
    let alpha = (gate * v / (1.0 - iou + v)).detached
    let ciou = iou - (distance(p, t) / (parts.diagonal + 1e-7) + alpha * v)
    return 1.0 - Slope.min(Slope.max(ciou, -1.0), 1.0)
  }

  /// The similarity.
  static let kerasCIoU: Formula = { p, t in
    let parts = Parts(p, t, height: 1e-7)
    let iou = parts.overlap / (parts.union + 1e-7 + 1e-7)
    let v = parts.aspect()
    let alpha = v / (v - iou + (1.0 + 1e-7))
    return iou - (distance(p, t) / (parts.diagonal + 1e-7) + v * alpha)
  }
}

/// A formula, or any function of an item, as an implementation that runs what it ships.
struct Shipped: Implementation {
  let answer: @Sendable (Item) -> CaseAnswer
  /// The dialects that it does not offer.
  var unknown: Set<String> = []
  private(set) var selections: [Selection] = []
  private var isSum = false

  init(answer: @escaping @Sendable (Item) -> CaseAnswer) { self.answer = answer }

  init(_ formula: @escaping FrameworkFormulas.Formula) {
    answer = { item in
      func corners(_ numbers: [Double], _ one: Float) -> FrameworkFormulas.Corners {
        let all = numbers.enumerated().map { k, number in
          var slopes = SIMD4<Float>(repeating: 0)
          slopes[k] = one
          return Slope(Float(number), slopes)
        }
        return (all[0], all[1], all[2], all[3])
      }
      let result = formula(corners(item.prediction, 1), corners(item.target, 0))
      return .numbers(
        value: Double(result.value), gradient: (0..<4).map { Double(result.slopes[$0]) })
    }
  }

  /// A loss with its settings, rounded to Float.
  init<L: Loss>(_ loss: L) {
    answer = { item in
      let exact = loss.gradient(at: item)
      return .numbers(
        value: Double(Float(exact.value)), gradient: exact.prediction.map { Double(Float($0)) })
    }
  }

  mutating func greet() -> Greeting { Greeting(name: "shipped") }

  mutating func select(_ selection: Selection) -> String? {
    isSum = selection.loss == "sum"
    if !isSum { selections.append(selection) }
    return unknown.contains(selection.dialect) ? "no \(selection.dialect)" : nil
  }

  mutating func evaluate(_ items: [Item], gradient: Bool) -> [CaseAnswer] {
    items.map { item in
      isSum
        ? .numbers(value: Double(Float(item.prediction[0]) + Float(item.target[0])), gradient: nil)
        : answer(item)
    }
  }
}
