"""scikit-learn: a model is stored and loaded with joblib."""

from __future__ import annotations

import numpy as np

from jetstow.fs import JetstowFileSystem


def test_joblib_model(fs: JetstowFileSystem, root: str) -> None:
    import joblib
    from sklearn.linear_model import LinearRegression

    x = np.arange(20).reshape(-1, 1)
    model = LinearRegression().fit(x, 3 * x.ravel() + 1)
    with fs.open(f"{root}/model.joblib", "wb") as file:
        joblib.dump(model, file)
    with fs.open(f"{root}/model.joblib") as file:
        loaded = joblib.load(file)
    assert np.allclose(loaded.predict([[100]]), 301)
