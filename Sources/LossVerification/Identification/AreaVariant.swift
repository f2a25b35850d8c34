import LossDefinitions

/// IoU and GIoU with other areas than the definitions': those of MMDetection, which are floored before
/// they divide (its dialects refuse boxes that small, programs do not), of a union that carries its
/// epsilon wherever it stands, and of boxes whose last pixels count.
///
///     w' = w + s,  U' = max(U, ε) + δ,  C' = max(C, ε),  IoU = I / U',  GIoU = IoU − (C' − U') / C'
struct AreaVariant<Base: BoxLoss>: BoxLoss {
  static var name: String { Base.name }
  static var laws: [Law<Self>] { [] }
  static var hyperparameters: [Hyperparameter<Self>] {
    [
      Hyperparameter("least", \.least, in: 0...1, grid: []),
      Hyperparameter("added", \.added, in: 0...1, grid: []),
      Hyperparameter("extent", \.extent, in: 0...1, grid: []),
      Hyperparameter("floor", \.floor, in: 0...1, grid: []),
    ]
  }

  /// ε.
  var least = 0.0
  /// δ.
  var added = 0.0
  /// s.
  var extent = 0.0
  /// The least IoU that the loss is taken of.
  var floor = 0.0
  var form = IoU.Form.linear
  var encloses = false

  func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let s = S(extent)
    func area(_ box: Box<S>) -> S { (box.width + s) * (box.height + s) }
    let iw = S.min(p.x2, t.x2) - .max(p.x1, t.x1) + s
    let ih = S.min(p.y2, t.y2) - .max(p.y1, t.y1) + s
    let overlap = S.select(iw .< 0, 0, iw) * .select(ih .< 0, 0, ih)
    var union = area(p) + area(t) - overlap
    if least > 0 { union = .max(union, S(least)) }
    if added > 0 { union = union + S(added) }
    let ratio = S.quotient(overlap, union)
    if encloses {
      var c = area(p.enclosing(t))
      if least > 0 { c = .max(c, S(least)) }
      return 1 - ratio + .quotient(c - union, c)
    }
    let iou = floor > 0 ? S.max(ratio, S(floor)) : ratio
    return switch form {
    case .linear: 1 - iou
    case .logarithmic: -S.log(iou)
    case .square: 1 - iou * iou
    }
  }

  /// Candidates have no kernel: nothing asks for one.
  func optimized<V: Lanes>(_ p: Box<V>, _ t: Box<V>) -> (loss: V, gradient: Box<V>) {
    let nothing = V(.nan)
    return (nothing, Box(x1: nothing, y1: nothing, x2: nothing, y2: nothing))
  }
}

extension Subject {
  /// The variants of a loss that has such.
  static func areaVariants<L: Loss>(_: L.Type, _ format: Format) -> [Subject] {
    if L.self == GIoU.self { return variants(of: GIoU.self, encloses: true, format) }
    if L.self == IoU.self { return variants(of: IoU.self, encloses: false, format) }
    return []
  }

  private static func variants<L: BoxLoss>(
    of _: L.Type, encloses: Bool, _ format: Format
  ) -> [Subject] {
    let epsilons = ArgumentGrid.epsilons.filter { $0 > 0 }
    var subjects: [Subject] = []
    func add(
      _ dialect: String, _ arguments: String, isDefault: Bool = false,
      _ change: (inout AreaVariant<L>) -> Void
    ) {
      var loss = AreaVariant<L>()
      loss.encloses = encloses
      change(&loss)
      var subject = Subject(loss, dialect, arguments, format)
      subject.isDefault = isDefault
      subjects.append(subject)
    }
    for epsilon in epsilons {
      if encloses {
        add("mmdet/giou_loss", "eps=\(epsilon)", isDefault: epsilon == 1e-7) { $0.least = epsilon }
        add("native", "union=U+\(epsilon)") { $0.added = epsilon }
      } else {
        for (name, form) in [
          ("linear", IoU.Form.linear), ("square", .square), ("log", .logarithmic),
        ] {
          add("mmdet/iou_loss_\(name)", "eps=\(epsilon)", isDefault: epsilon == 1e-6) {
            $0.least = 1e-6
            $0.floor = epsilon
            $0.form = form
          }
        }
      }
    }
    add("native", "sides=+1") { $0.extent = 1 }
    return subjects
  }
}
