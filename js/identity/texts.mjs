// What the scorer's panel says, in the languages of the pack.

export const TEXTS = {
  en: {
    empty: "What was found appears here, with its report.",
    open: "Open the report",
    which: "Which report",
  },
  it: {
    empty: "Qui appare ciò che è stato trovato, con il rapporto.",
    open: "Apri il rapporto",
    which: "Quale rapporto",
  },
  "pt-BR": {
    empty: "O que foi encontrado aparece aqui, com o relatório.",
    open: "Abrir o relatório",
    which: "Qual relatório",
  },
  zh: {
    empty: "评估结果和报告会显示在这里。",
    open: "打开报告",
    which: "选择报告",
  },
};
