// Signs people in by HTTP Basic against a password file. The password never comes here: the host checks it and says whose it was.
import { basic, isSet } from 'chm:plugin/secrets@0.1.0';
import { get } from 'chm:plugin/config@0.1.0';
import { write } from 'chm:plugin/log@0.1.0';

// The roles of each user, from pairs `user=role`. The last `=` divides: a name may have one in it, a role may not.
function rolesByUser() {
  const roles = new Map();
  for (const pair of (get('roles') ?? '').split(',').map((text) => text.trim()).filter(Boolean)) {
    const at = pair.lastIndexOf('=');
    const [user, role] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    if (at < 0 || !user || !role) {
      throw new Error(`the setting \`roles\` has \`${pair}\`; expected \`user=role\`, for example \`ann=sre\``);
    }
    roles.set(user, (roles.get(user) ?? new Set()).add(role));
  }
  return roles;
}

export const authProvider = {
  // Called when the plugin is loaded: a mistake in the settings refuses it then, not one caller after another.
  describe() {
    try {
      rolesByUser();
    } catch (mistake) {
      write('error', mistake.message);
      throw mistake;
    }
    return { summary: 'Signs people in by HTTP Basic against a password file.' };
  },

  authenticate() {
    if (!isSet('users')) {
      throw { tag: 'internal', val: 'the setting `users` has no value; expected lines of `user:bcrypt-hash`' };
    }
    const found = basic('users');
    switch (found.tag) {
      case 'absent':
        return { tag: 'no-credentials' };
      case 'user': {
        const roles = [...(rolesByUser().get(found.val) ?? [])];
        return { tag: 'authenticated', val: { subject: found.val, roles, custom: [] } };
      }
      default:
        return { tag: 'rejected', val: 'wrong user or password' };
    }
  },
};
