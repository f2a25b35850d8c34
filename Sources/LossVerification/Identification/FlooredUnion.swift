import LossDefinitions

/// MMDetection's losses whose areas are floored before they divide: its dialects refuse boxes that
/// small, programs do not.
///
///     U' = max(U, ε),  IoU = I / U',  GIoU = IoU − (C' − U') / C',  C' = max(C, ε)
struct FlooredUnion<Base: BoxLoss>: BoxLoss {
  static var name: String { Base.name }
  static var laws: [Law<Self>] { [] }
  static var hyperparameters: [Hyperparameter<Self>] {
    [
      Hyperparameter("least", \.least, in: 0...1, grid: []),
      Hyperparameter("floor", \.floor, in: 0...1, grid: []),
    ]
  }

  /// ε.
  var least = 1e-6
  /// The least IoU that the loss is taken of.
  var floor = 0.0
  var form = IoU.Form.linear
  var encloses = false

  func reference<S: Scalar>(_ p: Box<S>, _ t: Box<S>) -> S {
    let overlap = p.intersection(t)
    let areas = p.width * p.height + t.width * t.height
    let union = S.max(areas - overlap, S(least))
    if encloses {
      let box = p.enclosing(t)
      let c = S.max(box.width * box.height, S(least))
      return 1 - overlap / union + (c - union) / c
    }
    let iou = floor > 0 ? S.max(overlap / union, S(floor)) : overlap / union
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
  /// MMDetection's functions that floor areas, of a loss that has such.
  static func floored<L: Loss>(_: L.Type, _ format: Format) -> [Subject] {
    let epsilons = ArgumentGrid.epsilons.filter { $0 > 0 }
    if L.self == GIoU.self {
      return epsilons.map { epsilon in
        var loss = FlooredUnion<GIoU>()
        loss.least = epsilon
        loss.encloses = true
        var subject = Subject(loss, "mmdet/giou_loss", "eps=\(epsilon)", format)
        subject.isDefault = epsilon == 1e-7
        return subject
      }
    }
    guard L.self == IoU.self else { return [] }
    let forms = [("linear", IoU.Form.linear), ("square", .square), ("log", .logarithmic)]
    return forms.flatMap { name, form in
      epsilons.map { epsilon in
        var loss = FlooredUnion<IoU>()
        loss.floor = epsilon
        loss.form = form
        var subject = Subject(loss, "mmdet/iou_loss_\(name)", "eps=\(epsilon)", format)
        subject.isDefault = epsilon == 1e-6
        return subject
      }
    }
  }
}
