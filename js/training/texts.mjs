// What the panel says, in the languages of the pack.

export const TEXTS = {
  en: {
    empty: "The course of the training appears here.",
    preparing: "Preparing pictures and captions…",
    dataset: "Dataset {number} of 100 · findings: {count}",
    more: "{count} more",
    step: "Step {step}",
    of: "of {steps}",
    left: "{time} left",
    loss: "loss",
    validation: "held out",
    identity: "likeness",
    rate: "rate",
    best: "best {step}",
    stop: "Stop here and keep the best",
    stopping: "Stopping…",
    finished: "finished",
    cancelled: "cancelled",
    failed: "stopped by an error",
    saved: "last run",
    unreachable: "ComfyUI could not be reached; try again.",
    sample: "Sample after step {step}",
    chart: "Loss over the steps of the training",
  },
  it: {
    empty: "Qui appare l'andamento dell'addestramento.",
    preparing: "Preparazione di immagini e didascalie…",
    dataset: "Dataset {number} su 100 · segnalazioni: {count}",
    more: "altre {count}",
    step: "Passo {step}",
    of: "di {steps}",
    left: "ancora {time}",
    loss: "loss",
    validation: "validazione",
    identity: "somiglianza",
    rate: "tasso",
    best: "migliore {step}",
    stop: "Ferma qui e tieni il migliore",
    stopping: "Mi fermo…",
    finished: "finito",
    cancelled: "annullato",
    failed: "fermato da un errore",
    saved: "ultima esecuzione",
    unreachable: "ComfyUI non risponde; riprova.",
    sample: "Campione dopo il passo {step}",
    chart: "Loss lungo i passi dell'addestramento",
  },
  "pt-BR": {
    empty: "O andamento do treino aparece aqui.",
    preparing: "Preparando imagens e legendas…",
    dataset: "Dataset {number} de 100 · avisos: {count}",
    more: "mais {count}",
    step: "Passo {step}",
    of: "de {steps}",
    left: "faltam {time}",
    loss: "loss",
    validation: "validação",
    identity: "semelhança",
    rate: "taxa",
    best: "melhor {step}",
    stop: "Parar aqui e ficar com o melhor",
    stopping: "Parando…",
    finished: "concluído",
    cancelled: "cancelado",
    failed: "parado por um erro",
    saved: "última execução",
    unreachable: "O ComfyUI não respondeu; tente de novo.",
    sample: "Amostra após o passo {step}",
    chart: "Loss ao longo dos passos do treino",
  },
  zh: {
    empty: "训练过程将显示在这里。",
    preparing: "正在准备图片和标注…",
    dataset: "数据集 {number} / 100 · 问题：{count}",
    more: "还有 {count} 条",
    step: "第 {step} 步",
    of: "共 {steps} 步",
    left: "剩余 {time}",
    loss: "损失",
    validation: "验证",
    identity: "相似度",
    rate: "学习率",
    best: "最佳 {step}",
    stop: "在此停止并保留最佳",
    stopping: "正在停止…",
    finished: "已完成",
    cancelled: "已取消",
    failed: "因错误停止",
    saved: "上次运行",
    unreachable: "无法连接 ComfyUI，请重试。",
    sample: "第 {step} 步后的样图",
    chart: "训练各步的损失",
  },
};

/** Seconds as people say them: "40 s", "12 min", "1 h 05 min". */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} min`;
}

/** A number in few digits: "0.0421", "8e-5". */
export function short(value) {
  if (value == null) return "–";
  if (value === 0) return "0";
  if (Math.abs(value) < 1e-3) return value.toExponential(1).replace(".0e", "e");
  return value.toPrecision(3);
}
