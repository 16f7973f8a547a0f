// A token behind # in the address, which is never sent by itself.

const field = document.querySelector("#token"), token = decodeURIComponent(location.hash.slice(1));
if (token) {
  history.replaceState(null, "", location.pathname);
  field.value = token;
  field.form.submit();
} else {
  field.focus();
}
