"""The sockets of Facet's own types, and the core's that `comfy_api` has no class for."""

from comfy_api.latest import io

Character = io.Custom("FACET_CHARACTER")
Studio = io.Custom("FACET_STUDIO")
Judge = io.Custom("FACET_JUDGE")
JudgeOptions = io.Custom("FACET_JUDGE_OPTIONS")
Plan = io.Custom("FACET_PLAN")
TrainingOptions = io.Custom("FACET_TRAINING_OPTIONS")
Run = io.Custom("FACET_RUN")
ScoreCard = io.Custom("FACET_SCORE")
PoseKeypoint = io.Custom("POSE_KEYPOINT")
FaceDetection = io.Custom("FACE_DETECTION_MODEL")
FaceEmbedder = io.Custom("FACE_EMBEDDER")
